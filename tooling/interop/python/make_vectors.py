#!/usr/bin/env python3
"""Writes the fixed test vectors of packages/session/src/noise, from nothing but the specifications.

    python3 make_vectors.py DIRECTORY     writes noise.vectors.json and hfs.vectors.json there
"""

import json
import sys
from hashlib import shake_256
from pathlib import Path

from noise import PATTERNS, Keys, run
from x25519 import public_key

SUITES = ["ChaChaPoly_SHA256", "AESGCM_SHA256"]
MORE_SUITES = ["ChaChaPoly_SHA512", "ChaChaPoly_BLAKE2s", "AESGCM_BLAKE2b"]
PAYLOADS = [b"", b"matryoshka", b"in a matryoshka", b"", b"the smallest doll does not open", b"\x00" * 17, b"end"]


def fixed(label: str, length: int) -> bytes:
    """Bytes that are different for every label, and the same in every run."""
    return shake_256(b"matryoshka test vector: " + label.encode()).digest(length)


def make_vector(pattern: str, suite: str) -> dict:
    pre, messages = PATTERNS[pattern]
    hfs = "hfs" in pattern
    name = f"Noise_{pattern}_{'25519+MLKEM768' if hfs else '25519'}_{suite}"
    sends_static = [any("s" in tokens for tokens in messages[side::2]) for side in (0, 1)]
    psks = [fixed(f"psk {i}", 32) for i in range(sum(tokens.count("psk") for tokens in messages))]
    prologue = fixed("prologue", 15)
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
    ciphertexts, handshake_hash = run(name, prologue, keys[0], keys[1], PAYLOADS)
    vector = {"protocol_name": name}
    for who, side in (("init", keys[0]), ("resp", keys[1])):
        vector[f"{who}_prologue"] = prologue.hex()
        if psks:
            vector[f"{who}_psks"] = [psk.hex() for psk in psks]
        for field, value in (("static", side.s), ("ephemeral", side.e), ("remote_static", side.rs), ("kem_seed", side.kem_seed), ("kem_randomness", side.kem_randomness)):
            if value is not None:
                vector[f"{who}_{field}"] = value.hex()
    vector["handshake_hash"] = handshake_hash.hex()
    vector["messages"] = [{"payload": p.hex(), "ciphertext": c.hex()} for p, c in zip(PAYLOADS, ciphertexts)]
    return vector


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    directory = Path(sys.argv[1])
    plain = [name for name in PATTERNS if "hfs" not in name]
    hybrid = [name for name in PATTERNS if "hfs" in name]
    files = {
        "noise.vectors.json": [make_vector(p, s) for p in plain for s in SUITES] + [make_vector("XX", s) for s in MORE_SUITES],
        "hfs.vectors.json": [make_vector(p, s) for p in hybrid for s in SUITES] + [make_vector("XXhfs+psk0", s) for s in MORE_SUITES],
    }
    for name, vectors in files.items():
        (directory / name).write_text(json.dumps({"vectors": vectors}, indent=2) + "\n")


main()
