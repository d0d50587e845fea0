export { AuthError, type AuthErrorCode } from './auth-error.ts';
export {
  createCredentialsSource,
  type CredentialsSource,
  type CredentialsSourceOptions,
} from './credentials-source.ts';
