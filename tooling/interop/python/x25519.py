"""X25519 (RFC 7748 section 5), for test vectors only: nothing here is constant-time."""

from functools import cache

P = 2**255 - 19
A24 = 121665
BASE_POINT = (9).to_bytes(32, "little")


@cache
def x25519(scalar: bytes, point: bytes) -> bytes:
    assert len(scalar) == 32 and len(point) == 32
    k = int.from_bytes(scalar, "little")
    k &= ~7
    k &= 2**255 - 1
    k |= 2**254
    u = int.from_bytes(point, "little") & (2**255 - 1)

    # RFC 7748: the Montgomery ladder, one bit of the scalar at a time from the top.
    x1, x2, z2, x3, z3, swap = u, 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = (k >> t) & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = (x2 + z2) % P, (x2 - z2) % P
        c, d = (x3 + z3) % P, (x3 - z3) % P
        aa, bb = a * a % P, b * b % P
        e = (aa - bb) % P
        da, cb = d * a % P, c * b % P
        x3 = (da + cb) ** 2 % P
        z3 = x1 * (da - cb) ** 2 % P
        x2 = aa * bb % P
        z2 = e * (aa + A24 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def public_key(secret: bytes) -> bytes:
    return x25519(secret, BASE_POINT)
