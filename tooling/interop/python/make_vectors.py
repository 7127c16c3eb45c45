#!/usr/bin/env python3
"""Writes the fixed test vectors of packages/session/src/noise, from nothing but the specifications.

    python3 make_vectors.py DIRECTORY     writes noise.vectors.json, hfs.vectors.json and patterns.digests.json there

The first two hold every byte. The third holds, for every pattern with no pre-shared key, one in each place, each pair and
all, with and without hfs, the SHA-256 digest of all messages and the handshake hash.
"""

import json
import sys
from hashlib import sha256, shake_256
from itertools import cycle
from pathlib import Path

from noise import Keys, run
from patterns import BASE, pattern_of, psk_sets
from x25519 import public_key

SUITES = ["ChaChaPoly_SHA256", "AESGCM_SHA256"]
MORE_SUITES = ["ChaChaPoly_SHA512", "ChaChaPoly_BLAKE2s", "AESGCM_BLAKE2b"]
ALL_SUITES = [f"{cipher}_{name}" for name in ("SHA256", "SHA512", "BLAKE2s", "BLAKE2b") for cipher in ("ChaChaPoly", "AESGCM")]
PAYLOADS = [b"", b"matryoshka", b"in a matryoshka", b"", b"the smallest doll does not open", b"\x00" * 17, b"end"]
PLAIN = ["XX", "XXpsk3", "NNpsk0+psk2", "IKpsk1+psk2", "X1X1", "Kpsk0", "Npsk0+psk1", "XXpsk0+psk3", "XXpsk0+psk1+psk2+psk3"]
HYBRID = ["NNhfs", "XXhfs", "XXhfs+psk0", "XXhfs+psk3", "NKhfs", "NKhfs+psk0", "IKhfs+psk2", "X1X1hfs", "XXhfs+psk0+psk3"]
# A digest's prologue has the length that the length of its protocol name picks.
PROLOGUE_LENGTHS = [0, 15, 1000]


def fixed(label: str, length: int) -> bytes:
    """Bytes that are different for every label, and the same in every run."""
    return shake_256(b"matryoshka test vector: " + label.encode()).digest(length)


def protocol_name(pattern: str, suite: str) -> str:
    return f"Noise_{pattern}_{'25519+MLKEM768' if 'hfs' in pattern else '25519'}_{suite}"


def keys_of(pattern: str) -> list[Keys]:
    """What the initiator and the responder bring along: no more than the pattern takes."""
    pre, messages = pattern_of(pattern)
    hfs = "hfs" in pattern
    sends_static = [any("s" in tokens for tokens in messages[side::2]) for side in (0, 1)]
    psks = [fixed(f"psk {i}", 32) for i in range(sum(tokens.count("psk") for tokens in messages))]
    keys = []
    for side, who in enumerate(("init", "resp")):
        own, other = (("-> s", "<- s"), ("<- s", "-> s"))[side]
        keys.append(
            Keys(
                s=fixed(f"{who} static", 32) if sends_static[side] or own in pre else None,
                e=fixed(f"{who} ephemeral", 32) if side < len(messages) else None,
                rs=public_key(fixed(f"{('resp', 'init')[side]} static", 32)) if other in pre else None,
                psks=psks,
                kem_seed=fixed("init kem seed", 64) if hfs and side == 0 else None,
                kem_randomness=fixed("resp kem randomness", 32) if hfs and side == 1 else None,
            )
        )
    return keys


def make_vector(pattern: str, suite: str) -> dict:
    name = protocol_name(pattern, suite)
    keys = keys_of(pattern)
    prologue = fixed("prologue", 15)
    ciphertexts, handshake_hash = run(name, prologue, keys[0], keys[1], PAYLOADS)
    vector = {"protocol_name": name}
    for who, side in (("init", keys[0]), ("resp", keys[1])):
        vector[f"{who}_prologue"] = prologue.hex()
        if side.psks:
            vector[f"{who}_psks"] = [psk.hex() for psk in side.psks]
        for field, value in (("static", side.s), ("ephemeral", side.e), ("remote_static", side.rs), ("kem_seed", side.kem_seed), ("kem_randomness", side.kem_randomness)):
            if value is not None:
                vector[f"{who}_{field}"] = value.hex()
    vector["handshake_hash"] = handshake_hash.hex()
    vector["messages"] = [{"payload": p.hex(), "ciphertext": c.hex()} for p, c in zip(PAYLOADS, ciphertexts)]
    return vector


def make_digests() -> dict[str, str]:
    digests = {}
    suites = cycle(ALL_SUITES)
    for base in BASE:
        for hfs in ([], ["hfs"]) if len(pattern_of(base)[1]) > 1 else ([],):
            for psks in psk_sets(base):
                # A pair tells nothing more with hfs: its tokens are looked at in the pairs without.
                if hfs and len(psks) == 2:
                    continue
                pattern = base + "+".join(hfs + psks)
                name = protocol_name(pattern, next(suites))
                ciphertexts, handshake_hash = run(name, fixed("prologue", PROLOGUE_LENGTHS[len(name) % 3]), *keys_of(pattern), PAYLOADS)
                digests[name] = sha256(b"".join(ciphertexts) + handshake_hash).hexdigest()
    return digests


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    files = {
        "noise.vectors.json": {"vectors": [make_vector(p, s) for p in PLAIN for s in SUITES] + [make_vector("XX", s) for s in MORE_SUITES]},
        "hfs.vectors.json": {"vectors": [make_vector(p, s) for p in HYBRID for s in SUITES] + [make_vector("XXhfs+psk0", s) for s in MORE_SUITES]},
        "patterns.digests.json": {"digests": make_digests()},
    }
    for name, content in files.items():
        (Path(sys.argv[1]) / name).write_text(json.dumps(content, indent=2) + "\n")


main()
