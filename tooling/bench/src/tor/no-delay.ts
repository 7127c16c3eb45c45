import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../competitors.ts';

/** Sets TCP_NODELAY on every TCP socket that is made; on Linux, those that are accepted have it from their listener. */
const SOURCE = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol) {
  int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
  int fd = real(domain, type, protocol);
  int on = 1;
  if (fd >= 0 && (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM)
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}
`;

/**
 * Environment for a program that shall send small packets at once, from a library that is compiled into `folder`.
 * @throws Error where there is no C compiler
 */
export async function noDelayEnvironment(folder: string): Promise<Readonly<Record<string, string>>> {
  const compiler = await findProgram('cc');
  if (compiler === undefined) throw new Error('not installed: cc, which forces TCP_NODELAY on tor from outside');
  const [source, library] = [join(folder, 'no-delay.c'), join(folder, 'no-delay.so')];
  await writeFile(source, SOURCE);
  await promisify(execFile)(compiler, ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  return { LD_PRELOAD: library };
}
