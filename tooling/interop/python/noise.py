"""One run of a Noise handshake between two sides with fixed keys (revision 34, and the KEM extension's revision 1).

Written from the specifications alone, to check another implementation against: both sides are computed separately, and
whatever one sends is what the other one hashes.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from functools import cache
from typing import Optional

import mlkem
from aead import aes256_gcm_seal, chacha20_poly1305_seal
from patterns import pattern_of
from x25519 import public_key, x25519

HASHES = {"SHA256": (hashlib.sha256, 32), "SHA512": (hashlib.sha512, 64), "BLAKE2s": (hashlib.blake2s, 32), "BLAKE2b": (hashlib.blake2b, 64)}


@dataclass
class Keys:
    """Everything one side brings along."""

    s: Optional[bytes] = None
    e: Optional[bytes] = None
    rs: Optional[bytes] = None
    psks: list[bytes] = field(default_factory=list)
    kem_seed: Optional[bytes] = None
    kem_randomness: Optional[bytes] = None


class Side:
    def __init__(self, name: str, initiator: bool, prologue: bytes, keys: Keys):
        _, pattern, _, cipher, hash_name = name.split("_")
        self.pre, self.messages = pattern_of(pattern)
        self.initiator = initiator
        self.keys = keys
        self.cipher = cipher
        self.hash, self.hash_length = HASHES[hash_name]
        self.psk_mode = any("psk" in tokens for tokens in self.messages)
        self.psks = list(keys.psks)
        self.re: Optional[bytes] = None
        self.rs = keys.rs
        self.re1: Optional[bytes] = None
        self.key: Optional[bytes] = None
        self.n = 0

        protocol = name.encode()
        self.h = protocol.ljust(self.hash_length, b"\0") if len(protocol) <= self.hash_length else self.hash(protocol).digest()
        self.ck = self.h
        self.mix_hash(prologue)
        for line in self.pre:
            own = (line == "-> s") == initiator
            self.mix_hash(public_key(keys.s) if own else self.rs)

    # Section 5.2
    def hkdf(self, material: bytes, count: int) -> list[bytes]:
        def mac(key: bytes, data: bytes) -> bytes:
            return hmac.new(key, data, self.hash).digest()

        temp = mac(self.ck, material)
        outputs: list[bytes] = []
        for i in range(count):
            outputs.append(mac(temp, (outputs[-1] if outputs else b"") + bytes([i + 1])))
        return outputs

    def mix_hash(self, data: bytes) -> None:
        self.h = self.hash(self.h + data).digest()

    def mix_key(self, material: bytes) -> None:
        self.ck, key = self.hkdf(material, 2)
        self.key, self.n = key[:32], 0

    def mix_key_and_hash(self, material: bytes) -> None:
        self.ck, data, key = self.hkdf(material, 3)
        self.mix_hash(data)
        self.key, self.n = key[:32], 0

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        ciphertext = plaintext
        if self.key is not None:
            ciphertext = seal(self.cipher, self.key, self.n, self.h, plaintext)
            self.n += 1
        self.mix_hash(ciphertext)
        return ciphertext

    def take_encrypted(self, known: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Receiving without a decryption function: what `known` encrypts to must be what came."""
        expected = self.encrypt_and_hash(known)
        assert data[: len(expected)] == expected, "the two sides disagree"
        return known, data[len(expected) :]

    def mix_dh(self, token: str) -> None:
        mine, theirs = (token[0], token[1]) if self.initiator else (token[1], token[0])
        secret = self.keys.e if mine == "e" else self.keys.s
        self.mix_key(x25519(secret, self.re if theirs == "e" else self.rs))

    def mix_ephemeral(self, key: bytes) -> None:
        self.mix_hash(key)
        if self.psk_mode:
            self.mix_key(key)

    # Section 5.3, WriteMessage
    def write(self, tokens: list[str], payload: bytes) -> bytes:
        out = b""
        for token in tokens:
            if token == "e":
                out += public_key(self.keys.e)
                self.mix_ephemeral(public_key(self.keys.e))
            elif token == "s":
                out += self.encrypt_and_hash(public_key(self.keys.s))
            elif token == "e1":
                out += self.encrypt_and_hash(mlkem.keygen(self.keys.kem_seed)[0])
            elif token == "ekem1":
                shared, ciphertext = mlkem.encapsulate(self.re1, self.keys.kem_randomness)
                out += self.encrypt_and_hash(ciphertext)
                self.mix_key(shared)
            elif token == "psk":
                self.mix_key_and_hash(self.psks.pop(0))
            else:
                self.mix_dh(token)
        return out + self.encrypt_and_hash(payload)

    # Section 5.3, ReadMessage; `other` says what the encrypted parts hold.
    def read(self, tokens: list[str], message: bytes, payload: bytes, other: "Side") -> None:
        rest = message
        for token in tokens:
            if token == "e":
                self.re, rest = rest[:32], rest[32:]
                self.mix_ephemeral(self.re)
            elif token == "s":
                self.rs, rest = self.take_encrypted(public_key(other.keys.s), rest)
            elif token == "e1":
                self.re1, rest = self.take_encrypted(mlkem.keygen(other.keys.kem_seed)[0], rest)
            elif token == "ekem1":
                ek, dk = mlkem.keygen(self.keys.kem_seed)
                _, ciphertext = mlkem.encapsulate(ek, other.keys.kem_randomness)
                ciphertext, rest = self.take_encrypted(ciphertext, rest)
                self.mix_key(mlkem.decapsulate(dk, ciphertext))
            elif token == "psk":
                self.mix_key_and_hash(self.psks.pop(0))
            else:
                self.mix_dh(token)
        _, rest = self.take_encrypted(payload, rest)
        assert rest == b""


# Both sides of a vector seal the same bytes, and it is slow here.
@cache
def seal(cipher: str, key: bytes, n: int, associated: bytes, plaintext: bytes) -> bytes:
    # Sections 12.3, 12.4
    if cipher == "ChaChaPoly":
        return chacha20_poly1305_seal(key, bytes(4) + struct.pack("<Q", n), associated, plaintext)
    return aes256_gcm_seal(key, bytes(4) + struct.pack(">Q", n), associated, plaintext)


def run(name: str, prologue: bytes, init: Keys, resp: Keys, payloads: list[bytes]) -> tuple[list[bytes], bytes]:
    """All ciphertexts, of handshake and transport messages, and the handshake hash."""
    sides = [Side(name, True, prologue, init), Side(name, False, prologue, resp)]
    messages = sides[0].messages
    sent = []
    for i, tokens in enumerate(messages):
        sender, receiver = sides[i % 2], sides[1 - i % 2]
        message = sender.write(tokens, payloads[i])
        assert len(message) <= 65535
        receiver.read(tokens, message, payloads[i], sender)
        sent.append(message)
    assert sides[0].h == sides[1].h and sides[0].ck == sides[1].ck
    keys = [key[:32] for key in sides[0].hkdf(b"", 2)]
    counters = [0, 0]
    for i in range(len(messages), len(payloads)):
        direction = 0 if len(messages) == 1 else i % 2
        sent.append(seal(sides[0].cipher, keys[direction], counters[direction], b"", payloads[i]))
        counters[direction] += 1
    return sent, sides[0].h
