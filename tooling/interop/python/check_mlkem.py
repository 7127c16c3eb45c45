#!/usr/bin/env python3
"""Checks mlkem.py against Wycheproof files (mlkem_768_test.json, mlkem_768_encaps_test.json).

    python3 check_mlkem.py FILE...        prints one JSON line per file; fails if a test does
"""

import json
import sys
from pathlib import Path

import mlkem


def passes(kind: str, test: dict) -> bool:
    """Whether the outcome is the one the test names."""
    get = lambda name: bytes.fromhex(test[name])
    try:
        if kind == "MLKEMEncapsTest":
            shared, ciphertext = mlkem.encapsulate(get("ek"), get("m"))
            same = shared == get("K") and ciphertext == get("c")
        else:
            if len(get("seed")) != 64:
                raise ValueError("wrong length of seed")
            ek, dk = mlkem.keygen(get("seed"))
            same = ek == get("ek") and mlkem.decapsulate(dk, get("c")) == get("K")
    except ValueError:
        same = False
    return same == (test["result"] == "valid")


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    failed_files = 0
    for file in sys.argv[1:]:
        results = [
            (test["tcId"], passes(group["type"], test))
            for group in json.loads(Path(file).read_text())["testGroups"]
            if group["parameterSet"] == "ML-KEM-768"
            for test in group["tests"]
        ]
        failed = [number for number, passed in results if not passed]
        print(json.dumps({"file": file, "total": len(results), "passed": len(results) - len(failed), "failed": failed}))
        failed_files += bool(failed) or not results
    sys.exit(1 if failed_files else 0)


main()
