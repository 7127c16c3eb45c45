import { createNode } from '../src/index.ts';
import { tcp } from '@matryoshka/transport/tcp';
const size = Number(process.argv[2] ?? 64) * 1024 * 1024;
const mode = process.argv[3] ?? 'direct';
const hosts = ['127.11.0.1', '127.22.0.1', '127.33.0.1', '127.44.0.1', '127.55.0.1'];
const nodes = await Promise.all(
  hosts.map((h) =>
    createNode({
      transports: [tcp({ localAddress: h })],
      listen: [`${h}:0`],
      relay: { enabled: true, allowDial: ['loopback'], ...(process.argv[5] ? { relayMemoryBytes: Number(process.argv[5]) } : {}) },
    }),
  ),
);
const addr = (i: number) => `${nodes[i]!.peerId}@${hosts[i]}:${nodes[i]!.listening[0]!.port}`;
await nodes[0]!.connect(addr(1));
await nodes[1]!.connect(addr(2));
await new Promise((r) => setTimeout(r, 200));
const c =
  mode === 'direct'
    ? await nodes[0]!.connect(addr(1))
    : mode === 'relayed'
      ? await nodes[0]!.connect(addr(3), { hops: 3 })
      : await nodes[0]!.connect(addr(4), { path: [addr(1), addr(2), addr(3)] });
const dest = nodes[mode === 'direct' ? 1 : mode === 'relayed' ? 3 : 4]!;
let got = 0;
dest.serve('/sink/1', (s) => {
  s.attach({
    data: (b) => {
      got += b.length;
    },
    end: () => s.end(),
  });
});
const s = await c.openStream('/sink/1');
const chunk = new Uint8Array(Number(process.argv[4] ?? 65536)).fill(7);
let sent = 0;
const t0 = performance.now();
const timer = setInterval(
  () => console.log(((performance.now() - t0) / 1000).toFixed(1), 'sent', sent, 'got', got, 'pending', s.pendingBytes),
  1000,
);
await new Promise<void>((resolve, reject) => {
  const pump = () => {
    while (sent < size) {
      const n = Math.min(chunk.length, size - sent);
      sent += n;
      if (!s.write(chunk.subarray(0, n))) return;
    }
    s.end();
  };
  s.attach({ data() {}, writable: pump, closed: (e) => (e ? reject(e) : resolve()) });
  pump();
});
clearInterval(timer);
console.log(mode, (size / 1e6 / ((performance.now() - t0) / 1000)).toFixed(0), 'MB/s');
await Promise.all(nodes.map((n) => n.close()));
