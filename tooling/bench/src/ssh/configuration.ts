/** The one cipher of both ends: OpenSSH's fastest on machines with AES instructions. */
const CIPHER = 'aes128-gcm@openssh.com';

/** Where files of this run are. */
export interface SshFiles {
  /** Private key that logs in; its public half is beside it, with `.pub`. */
  readonly userKey: string;
  /** Private key of every server. */
  readonly hostKey: string;
}

/** Where a server listens. */
export interface SshHop {
  readonly host: string;
  readonly port: number;
}

/** What `-J` and messages call a hop, from 1. */
export function hopName(index: number): string {
  return `hop${index + 1}`;
}

/** `sshd_config` of a server that lets in this run's key only. */
export function serverConfiguration({ host, port }: SshHop, { userKey, hostKey }: SshFiles): string {
  return `ListenAddress ${host}
Port ${port}
HostKey ${hostKey}
AuthorizedKeysFile ${userKey}.pub
PidFile none
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding yes
Ciphers ${CIPHER}
LogLevel ERROR
`;
}

/** `ssh_config` that knows every hop by name. */
export function clientConfiguration(hops: readonly SshHop[], user: string, { userKey }: SshFiles): string {
  const common = `Host *
  User ${user}
  IdentityFile ${userKey}
  IdentitiesOnly yes
  BatchMode yes
  UserKnownHostsFile /dev/null
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking no
  Ciphers ${CIPHER}
  Compression no
  LogLevel ERROR
`;
  return common + hops.map(({ host, port }, i) => `Host ${hopName(i)}\n  HostName ${host}\n  Port ${port}\n`).join('');
}
