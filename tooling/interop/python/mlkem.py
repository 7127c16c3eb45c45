"""ML-KEM-768 (FIPS 203), for test vectors only. Names and algorithm numbers as in the standard."""

from functools import cache
from hashlib import sha3_256, sha3_512, shake_128, shake_256

N, Q, K, ETA1, ETA2, DU, DV = 256, 3329, 3, 2, 2, 10, 4
PUBLIC_KEY_LENGTH = 384 * K + 32
CIPHERTEXT_LENGTH = 32 * (DU * K + DV)


def _reverse7(value: int) -> int:
    return int(f"{value:07b}"[::-1], 2)


ZETAS = [pow(17, _reverse7(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reverse7(i) + 1, Q) for i in range(128)]


def byte_encode(values: list[int], d: int) -> bytes:  # Algorithm 5
    total = 0
    for i, value in enumerate(values):
        total |= value << (d * i)
    return total.to_bytes(32 * d, "little")


def byte_decode(data: bytes, d: int) -> list[int]:  # Algorithm 6
    total = int.from_bytes(data, "little")
    modulus = Q if d == 12 else 1 << d
    return [((total >> (d * i)) & ((1 << d) - 1)) % modulus for i in range(N)]


def compress(values: list[int], d: int) -> list[int]:  # section 4.2.1
    return [((value << (d + 1)) + Q) // (2 * Q) % (1 << d) for value in values]


def decompress(values: list[int], d: int) -> list[int]:
    return [(2 * Q * value + (1 << d)) >> (d + 1) for value in values]


def sample_ntt(seed: bytes) -> list[int]:  # Algorithm 7
    # Read far more than any seed will ever need: SHAKE's output has no end, its prefix does not change.
    stream = shake_128(seed).digest(4096)
    values: list[int] = []
    at = 0
    while len(values) < N:
        c0, c1, c2 = stream[at : at + 3]
        at += 3
        for candidate in (c0 + 256 * (c1 % 16), c1 // 16 + 16 * c2):
            if candidate < Q and len(values) < N:
                values.append(candidate)
    return values


def sample_cbd(data: bytes, eta: int) -> list[int]:  # Algorithm 8
    bits = int.from_bytes(data, "little")

    def count(at: int) -> int:
        return ((bits >> at) & ((1 << eta) - 1)).bit_count()

    return [(count(2 * i * eta) - count(2 * i * eta + eta)) % Q for i in range(N)]


def ntt(values: list[int]) -> list[int]:  # Algorithm 9
    f = list(values)
    i, length = 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def inverse_ntt(values: list[int]) -> list[int]:  # Algorithm 10
    f = list(values)
    i, length = 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [x * 3303 % Q for x in f]


def multiply_ntts(f: list[int], g: list[int]) -> list[int]:  # Algorithms 11, 12
    h = []
    for i in range(128):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h.append((a0 * b0 + a1 * b1 * GAMMAS[i]) % Q)
        h.append((a0 * b1 + a1 * b0) % Q)
    return h


def add(*polynomials: list[int]) -> list[int]:
    return [sum(values) % Q for values in zip(*polynomials)]


def dot(f: list[list[int]], g: list[list[int]]) -> list[int]:
    return add(*(multiply_ntts(a, b) for a, b in zip(f, g)))


def _prf(eta: int, seed: bytes, counter: int) -> list[int]:
    return sample_cbd(shake_256(seed + bytes([counter])).digest(64 * eta), eta)


def _matrix(rho: bytes) -> list[list[list[int]]]:
    return [[sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def k_pke_keygen(d: bytes) -> tuple[bytes, bytes]:  # Algorithm 13
    expanded = sha3_512(d + bytes([K])).digest()
    rho, sigma = expanded[:32], expanded[32:]
    a = _matrix(rho)
    s = [ntt(_prf(ETA1, sigma, i)) for i in range(K)]
    e = [ntt(_prf(ETA1, sigma, K + i)) for i in range(K)]
    t = [add(dot(a[i], s), e[i]) for i in range(K)]
    return b"".join(byte_encode(p, 12) for p in t) + rho, b"".join(byte_encode(p, 12) for p in s)


def k_pke_encrypt(ek: bytes, m: bytes, r: bytes) -> bytes:  # Algorithm 14
    t = [byte_decode(ek[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    a = _matrix(ek[384 * K :])
    y = [ntt(_prf(ETA1, r, i)) for i in range(K)]
    e1 = [_prf(ETA2, r, K + i) for i in range(K)]
    e2 = _prf(ETA2, r, 2 * K)
    u = [add(inverse_ntt(dot([a[j][i] for j in range(K)], y)), e1[i]) for i in range(K)]
    mu = decompress(byte_decode(m, 1), 1)
    v = add(inverse_ntt(dot(t, y)), e2, mu)
    return b"".join(byte_encode(compress(p, DU), DU) for p in u) + byte_encode(compress(v, DV), DV)


def k_pke_decrypt(dk: bytes, c: bytes) -> bytes:  # Algorithm 15
    u = [decompress(byte_decode(c[32 * DU * i : 32 * DU * (i + 1)], DU), DU) for i in range(K)]
    v = decompress(byte_decode(c[32 * DU * K :], DV), DV)
    s = [byte_decode(dk[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    product = inverse_ntt(dot(s, [ntt(p) for p in u]))
    return byte_encode(compress([(x - y) % Q for x, y in zip(v, product)], 1), 1)


@cache
def keygen(seed: bytes) -> tuple[bytes, bytes]:
    """Encapsulation and decapsulation key of a 64-byte seed d, z (Algorithm 16)."""
    assert len(seed) == 64
    ek, dk_pke = k_pke_keygen(seed[:32])
    return ek, dk_pke + ek + sha3_256(ek).digest() + seed[32:]


@cache
def encapsulate(ek: bytes, m: bytes) -> tuple[bytes, bytes]:
    """Shared secret and ciphertext with 32 bytes of randomness (Algorithm 17). ValueError for an invalid key (section 7.2)."""
    if len(ek) != PUBLIC_KEY_LENGTH:
        raise ValueError("wrong length of encapsulation key")
    if b"".join(byte_encode(byte_decode(ek[384 * i : 384 * (i + 1)], 12), 12) for i in range(K)) != ek[: 384 * K]:
        raise ValueError("encapsulation key fails the modulus check")
    expanded = sha3_512(m + sha3_256(ek).digest()).digest()
    return expanded[:32], k_pke_encrypt(ek, m, expanded[32:])


@cache
def decapsulate(dk: bytes, c: bytes) -> bytes:
    """Shared secret of a ciphertext (Algorithm 18). ValueError for a ciphertext of wrong length (section 7.3)."""
    if len(c) != CIPHERTEXT_LENGTH:
        raise ValueError("wrong length of ciphertext")
    dk_pke, ek = dk[: 384 * K], dk[384 * K : 768 * K + 32]
    h, z = dk[768 * K + 32 : 768 * K + 64], dk[768 * K + 64 :]
    m = k_pke_decrypt(dk_pke, c)
    expanded = sha3_512(m + h).digest()
    rejected = shake_256(z + c).digest(32)
    return expanded[:32] if k_pke_encrypt(ek, m, expanded[32:]) == c else rejected
