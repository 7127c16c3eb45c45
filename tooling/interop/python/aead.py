"""ChaCha20-Poly1305 (RFC 8439) and AES-256-GCM (FIPS 197, NIST SP 800-38D), for test vectors only: encryption."""

import struct


def _rotate(value: int, count: int) -> int:
    return ((value << count) & 0xFFFFFFFF) | (value >> (32 - count))


def _chacha20_block(key: bytes, counter: int, nonce: bytes) -> bytes:
    # RFC 8439 section 2.3
    start = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + (counter,) + struct.unpack("<3I", nonce))
    s = list(start)

    def quarter(a: int, b: int, c: int, d: int) -> None:
        s[a] = (s[a] + s[b]) & 0xFFFFFFFF
        s[d] = _rotate(s[d] ^ s[a], 16)
        s[c] = (s[c] + s[d]) & 0xFFFFFFFF
        s[b] = _rotate(s[b] ^ s[c], 12)
        s[a] = (s[a] + s[b]) & 0xFFFFFFFF
        s[d] = _rotate(s[d] ^ s[a], 8)
        s[c] = (s[c] + s[d]) & 0xFFFFFFFF
        s[b] = _rotate(s[b] ^ s[c], 7)

    for _ in range(10):
        quarter(0, 4, 8, 12)
        quarter(1, 5, 9, 13)
        quarter(2, 6, 10, 14)
        quarter(3, 7, 11, 15)
        quarter(0, 5, 10, 15)
        quarter(1, 6, 11, 12)
        quarter(2, 7, 8, 13)
        quarter(3, 4, 9, 14)
    return struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(s, start)))


def _poly1305(key: bytes, message: bytes) -> bytes:
    # RFC 8439 section 2.5
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(key[16:], "little")
    accumulator = 0
    for at in range(0, len(message), 16):
        accumulator = (accumulator + int.from_bytes(message[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((accumulator + s) & (2**128 - 1)).to_bytes(16, "little")


def _pad16(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def chacha20_poly1305_seal(key: bytes, nonce: bytes, associated: bytes, plaintext: bytes) -> bytes:
    # RFC 8439 section 2.8: block 0 makes the one-time key, the message begins at block 1.
    one_time_key = _chacha20_block(key, 0, nonce)[:32]
    stream = b"".join(_chacha20_block(key, 1 + i, nonce) for i in range(-(-len(plaintext) // 64)))
    ciphertext = bytes(x ^ y for x, y in zip(plaintext, stream))
    lengths = struct.pack("<QQ", len(associated), len(ciphertext))
    return ciphertext + _poly1305(one_time_key, _pad16(associated) + _pad16(ciphertext) + lengths)


def _times2(value: int) -> int:
    value <<= 1
    return value ^ 0x11B if value & 0x100 else value


def _gf_multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a, b = _times2(a), b >> 1
    return product


def _make_sbox() -> bytes:
    # FIPS 197 section 5.1.1: the inverse in GF(2^8), then an affine transformation.
    box = bytearray(256)
    for value in range(256):
        inverse = next((i for i in range(256) if _gf_multiply(value, i) == 1), 0)
        result = 0x63
        for shift in range(5):
            result ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        box[value] = result
    return bytes(box)


_SBOX = _make_sbox()


def _aes256_schedule(key: bytes) -> list[bytes]:
    # FIPS 197 section 5.2, Nk = 8, 15 round keys
    words = [key[i : i + 4] for i in range(0, 32, 4)]
    constant = 1
    for i in range(8, 60):
        word = words[i - 1]
        if i % 8 == 0:
            word = bytes(_SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _times2(constant)
        elif i % 8 == 4:
            word = bytes(_SBOX[b] for b in word)
        words.append(bytes(x ^ y for x, y in zip(words[i - 8], word)))
    return [b"".join(words[i : i + 4]) for i in range(0, 60, 4)]


def _aes_encrypt(schedule: list[bytes], block: bytes) -> bytes:
    # FIPS 197 section 5.1; the state is in columns, byte r + 4c is row r of column c.
    state = bytes(x ^ y for x, y in zip(block, schedule[0]))
    for number in range(1, 15):
        state = bytes(_SBOX[b] for b in state)
        state = bytes(state[(i + 4 * (i % 4)) % 16] for i in range(16))
        if number != 14:
            mixed = bytearray()
            for c in range(0, 16, 4):
                a = state[c : c + 4]
                for r in range(4):
                    mixed.append(_times2(a[r]) ^ _times2(a[(r + 1) % 4]) ^ a[(r + 1) % 4] ^ a[(r + 2) % 4] ^ a[(r + 3) % 4])
            state = bytes(mixed)
        state = bytes(x ^ y for x, y in zip(state, schedule[number]))
    return state


def _ghash(h: int, data: bytes) -> int:
    # SP 800-38D sections 6.3, 6.4
    y = 0
    for at in range(0, len(data), 16):
        x = y ^ int.from_bytes(data[at : at + 16], "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if (x >> bit) & 1:
                z ^= v
            v = (v >> 1) ^ (0xE1 << 120) if v & 1 else v >> 1
        y = z
    return y


def aes256_gcm_seal(key: bytes, nonce: bytes, associated: bytes, plaintext: bytes) -> bytes:
    # SP 800-38D section 7.1 with a 96-bit nonce
    schedule = _aes256_schedule(key)
    h = int.from_bytes(_aes_encrypt(schedule, bytes(16)), "big")
    blocks = -(-len(plaintext) // 16)
    stream = b"".join(_aes_encrypt(schedule, nonce + struct.pack(">I", 2 + i)) for i in range(blocks))
    ciphertext = bytes(x ^ y for x, y in zip(plaintext, stream))
    lengths = struct.pack(">QQ", 8 * len(associated), 8 * len(ciphertext))
    tag = _ghash(h, _pad16(associated) + _pad16(ciphertext) + lengths)
    mask = int.from_bytes(_aes_encrypt(schedule, nonce + b"\x00\x00\x00\x01"), "big")
    return ciphertext + (tag ^ mask).to_bytes(16, "big")
