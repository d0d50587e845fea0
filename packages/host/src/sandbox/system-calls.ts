/** Numbers of system calls. Source: the kernel's tables for x86_64, and the generic one that aarch64 uses. */
export interface SystemCalls {
  /** `AUDIT_ARCH_…` of linux/audit.h. */
  readonly architecture: number;
  /** Numbers from here on belong to another calling convention; absent: there is none. */
  readonly foreignFrom: number | undefined;
  readonly clone: number;
  readonly clone3: number;
  readonly socket: number;
  readonly socketpair: number;
  readonly ioctl: number;
  readonly openat2: number;
  readonly prlimit: number;
  /** Those with the mode of a file, and where it is among the arguments. */
  readonly modes: readonly (readonly [number: number, position: number])[];
  /** Those that open or make a file, and where their flags are; the mode comes next. */
  readonly creations: readonly (readonly [number: number, position: number])[];
  /** Those that send to an address, and where their flags are. */
  readonly sends: readonly (readonly [number: number, position: number])[];
  /** `seccomp` and `capset`, for the launcher. */
  readonly seccomp: number;
  readonly capset: number;
  readonly prctl: number;
  readonly unshare: number;
  readonly mount: number;
  readonly fstatfs: number;
  /** Never needed by a tool, and a way out, or a way to harm the machine. */
  readonly refused: readonly number[];
}

/** Numbers since 424 are the same everywhere: pidfd, mounts by descriptor, io_uring, secret memory. */
const COMMON_REFUSED: readonly number[] = [
  425,
  426,
  427, // io_uring: opens sockets and files past the filter
  428,
  429,
  430,
  431,
  432,
  433,
  442,
  467, // open_tree, move_mount, fs*, mount_setattr, open_tree_attr
  438, // pidfd_getfd
  443, // quotactl_fd
  447, // memfd_secret
];

const X86_64: SystemCalls = {
  architecture: 0xc000003e,
  foreignFrom: 0x40000000,
  clone: 56,
  clone3: 435,
  socket: 41,
  socketpair: 53,
  ioctl: 16,
  openat2: 437,
  prlimit: 302,
  modes: [
    [90, 1],
    [91, 1],
    [268, 2],
    [452, 2],
    [85, 1],
    [133, 1],
    [259, 2], // chmod, fchmod, fchmodat, fchmodat2, creat, mknod, mknodat
  ],
  creations: [
    [2, 1],
    [257, 2], // open, openat
  ],
  sends: [
    [44, 3],
    [46, 2],
    [307, 3], // sendto, sendmsg, sendmmsg
  ],
  seccomp: 317,
  capset: 126,
  prctl: 157,
  unshare: 272,
  mount: 165,
  fstatfs: 138,
  refused: [
    ...COMMON_REFUSED,
    101,
    310,
    311,
    312, // ptrace, process_vm_readv, process_vm_writev, kcmp
    155,
    161,
    165,
    166,
    272,
    308, // pivot_root, chroot, mount, umount2, unshare, setns
    248,
    249,
    250, // keys
    298,
    321,
    323,
    300,
    304,
    212, // perf_event_open, bpf, userfaultfd, fanotify_init, open_by_handle_at, lookup_dcookie
    103,
    153,
    154,
    172,
    173, // syslog, vhangup, modify_ldt, iopl, ioperm
    163,
    167,
    168,
    169,
    175,
    176,
    179,
    246,
    313,
    320, // acct, swap, reboot, modules, quotactl, kexec
    164,
    227,
    305, // clocks
  ],
};

const AARCH64: SystemCalls = {
  architecture: 0xc00000b7,
  foreignFrom: undefined,
  clone: 220,
  clone3: 435,
  socket: 198,
  socketpair: 199,
  ioctl: 29,
  openat2: 437,
  prlimit: 261,
  modes: [
    [52, 1],
    [53, 2],
    [452, 2],
    [33, 2], // fchmod, fchmodat, fchmodat2, mknodat
  ],
  creations: [[56, 2]], // openat
  sends: [
    [206, 3],
    [211, 2],
    [269, 3], // sendto, sendmsg, sendmmsg
  ],
  seccomp: 277,
  capset: 91,
  prctl: 167,
  unshare: 97,
  mount: 40,
  fstatfs: 44,
  refused: [
    ...COMMON_REFUSED,
    117,
    270,
    271,
    272,
    41,
    51,
    40,
    39,
    97,
    268,
    217,
    218,
    219,
    241,
    280,
    282,
    262,
    265,
    18,
    116,
    58,
    89,
    224,
    225,
    142,
    105,
    106,
    60,
    104,
    273,
    294,
    170,
    112,
    266,
  ],
};

/** @param architecture as `process.arch` says it. `undefined`: not known here. */
export function systemCallsOf(architecture: string): SystemCalls | undefined {
  if (architecture === 'x64') return X86_64;
  return architecture === 'arm64' ? AARCH64 : undefined;
}
