import { isJsonObject, type JsonObject, type JsonValue } from '@quire/protocol';
import { SimulatorError } from '../simulator-error.ts';

/** Reads the fields of one object and says where and how it is not what it must be. */
export interface FieldReader {
  readonly object: JsonObject;
  /** Where the object stands, for messages. */
  readonly place: string;
  has(name: string): boolean;
  isNull(name: string): boolean;
  string(name: string): string;
  boolean(name: string): boolean;
  number(name: string): number;
  /** A whole number of 0 or more. */
  count(name: string): number;
  /** A whole number of 1 or more. */
  positive(name: string): number;
  array(name: string): readonly JsonValue[];
  fields(name: string): FieldReader;
  textOrObject(name: string): string | JsonObject;
  choice<Value extends string>(name: string, values: readonly Value[]): Value;
  isTrue(name: string): boolean;
  /** Absent is false; anything but `true` is a mistake. */
  optionalTrue(name: string): boolean;
  /** The one of `names` that is present; none and several are mistakes. */
  oneOf<Name extends string>(names: readonly Name[]): Name;
  mistake(name: string, expected: string): SimulatorError;
  /** Throws when the object has a field nobody asked for. */
  end(): void;
}

export function readFields(raw: unknown, place: string): FieldReader {
  if (!isJsonObject(raw)) throw invalid(`${place} must be an object`);
  const object = raw;
  const asked = new Set<string>();
  const mistake = (name: string, expected: string): SimulatorError => invalid(`${place}.${name} must be ${expected}`);
  const read = <Value>(name: string, expected: string, narrow: (value: JsonValue) => Value | undefined): Value => {
    asked.add(name);
    const value = object[name];
    const narrowed = value === undefined ? undefined : narrow(value);
    if (narrowed === undefined) throw mistake(name, expected);
    return narrowed;
  };
  const wholeFrom = (least: number) => (value: JsonValue) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : undefined;
  const reader: FieldReader = {
    object,
    place,
    mistake,
    has: (name) => object[name] !== undefined,
    isNull: (name) => {
      asked.add(name);
      return object[name] === null;
    },
    isTrue: (name) => {
      asked.add(name);
      return object[name] === true;
    },
    number: (name) => read(name, 'a number', (value) => (typeof value === 'number' ? value : undefined)),
    string: (name) => read(name, 'a string', (value) => (typeof value === 'string' ? value : undefined)),
    boolean: (name) => read(name, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined)),
    count: (name) => read(name, 'a whole number, 0 or more', wholeFrom(/* least */ 0)),
    positive: (name) => read(name, 'a whole number, 1 or more', wholeFrom(/* least */ 1)),
    array: (name) =>
      read(name, 'an array', (value) => (Array.isArray(value) ? (value as readonly JsonValue[]) : undefined)),
    fields: (name) =>
      read(name, 'an object', (value) => (isJsonObject(value) ? readFields(value, `${place}.${name}`) : undefined)),
    textOrObject: (name) =>
      read(name, 'a string or an object', (value) =>
        typeof value === 'string' || isJsonObject(value) ? value : undefined,
      ),
    choice: (name, values) =>
      read(name, `one of ${values.join(', ')}`, (value) => values.find((entry) => entry === value)),
    optionalTrue: (name) =>
      object[name] !== undefined && read(name, 'true', (value) => (value === true ? true : undefined)),
    oneOf: (names) => {
      const present = names.filter((name) => object[name] !== undefined);
      const [only] = present;
      if (only === undefined || present.length > 1)
        throw invalid(`${place} must have exactly one of ${names.join(', ')}`);
      return only;
    },
    end: () => {
      const unknown = Object.keys(object).find((name) => !asked.has(name));
      if (unknown !== undefined) throw invalid(`${place} has the unknown field ${unknown}`);
    },
  };
  return reader;
}

function invalid(message: string): SimulatorError {
  return new SimulatorError('invalid-script', message);
}
