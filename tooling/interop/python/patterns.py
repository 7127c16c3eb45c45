"""Handshake patterns as the specifications print them (revision 34 sections 7.4, 7.5, 18.1), and their modifiers."""

import re

# Pre-messages before "...", then the messages, the initiator's first.
BASE = {
    "N": "<- s ... -> e, es",
    "K": "-> s <- s ... -> e, es, ss",
    "X": "<- s ... -> e, es, s, ss",
    "NN": "-> e <- e, ee",
    "NK": "<- s ... -> e, es <- e, ee",
    "NX": "-> e <- e, ee, s, es",
    "XN": "-> e <- e, ee -> s, se",
    "XK": "<- s ... -> e, es <- e, ee -> s, se",
    "XX": "-> e <- e, ee, s, es -> s, se",
    "KN": "-> s ... -> e <- e, ee, se",
    "KK": "-> s <- s ... -> e, es, ss <- e, ee, se",
    "KX": "-> s ... -> e <- e, ee, se, s, es",
    "IN": "-> e, s <- e, ee, se",
    "IK": "<- s ... -> e, es, s, ss <- e, ee, se",
    "IX": "-> e, s <- e, ee, se, s, es",
    "NK1": "<- s ... -> e <- e, ee, es",
    "NX1": "-> e <- e, ee, s -> es",
    "X1N": "-> e <- e, ee -> s <- se",
    "X1K": "<- s ... -> e, es <- e, ee -> s <- se",
    "XK1": "<- s ... -> e <- e, ee, es -> s, se",
    "X1K1": "<- s ... -> e <- e, ee, es -> s <- se",
    "X1X": "-> e <- e, ee, s, es -> s <- se",
    "XX1": "-> e <- e, ee, s -> es, s, se",
    "X1X1": "-> e <- e, ee, s -> es, s <- se",
    "K1N": "-> s ... -> e <- e, ee -> se",
    "K1K": "-> s <- s ... -> e, es <- e, ee -> se",
    "KK1": "-> s <- s ... -> e <- e, ee, se, es",
    "K1K1": "-> s <- s ... -> e <- e, ee, es -> se",
    "K1X": "-> s ... -> e <- e, ee, s, es -> se",
    "KX1": "-> s ... -> e <- e, ee, se, s -> es",
    "K1X1": "-> s ... -> e <- e, ee, s -> se, es",
    "I1N": "-> e, s <- e, ee -> se",
    "I1K": "<- s ... -> e, es, s <- e, ee -> se",
    "IK1": "<- s ... -> e, s <- e, ee, se, es",
    "I1K1": "<- s ... -> e, s <- e, ee, es -> se",
    "I1X": "-> e, s <- e, ee, s, es -> se",
    "IX1": "-> e, s <- e, ee, se, s -> es",
    "I1X1": "-> e, s <- e, ee, s -> se, es",
}

# As printed in section 9.4 and in section 5 of the KEM extension, or applied by hand: what the modifiers must lead to.
EXAMPLES = {
    "Npsk0": "<- s ... -> psk, e, es",
    "Kpsk0": "-> s <- s ... -> psk, e, es, ss",
    "Xpsk1": "<- s ... -> e, es, s, ss, psk",
    "NNpsk0": "-> psk, e <- e, ee",
    "NNpsk0+psk2": "-> psk, e <- e, ee, psk",
    "NKpsk2": "<- s ... -> e, es <- e, ee, psk",
    "XXpsk3": "-> e <- e, ee, s, es -> s, se, psk",
    "KNpsk0": "-> s ... -> psk, e <- e, ee, se",
    "INpsk1": "-> e, s, psk <- e, ee, se",
    "IKpsk1+psk2": "<- s ... -> e, es, s, ss, psk <- e, ee, se, psk",
    "NNhfs": "-> e, e1 <- e, ee, ekem1",
    "NKhfs": "<- s ... -> e, es, e1 <- e, ee, ekem1",
    "NXhfs": "-> e, e1 <- e, ee, ekem1, s, es",
    "XNhfs": "-> e, e1 <- e, ee, ekem1 -> s, se",
    "XKhfs": "<- s ... -> e, es, e1 <- e, ee, ekem1 -> s, se",
    "XXhfs": "-> e, e1 <- e, ee, ekem1, s, es -> s, se",
    "KNhfs": "-> s ... -> e, e1 <- e, ee, ekem1, se",
    "KXhfs": "-> s ... -> e, e1 <- e, ee, ekem1, se, s, es",
    "IKhfs": "<- s ... -> e, es, e1, s, ss <- e, ee, ekem1, se",
    "IXhfs": "-> e, e1, s <- e, ee, ekem1, se, s, es",
    "XXhfs+psk0": "-> psk, e, e1 <- e, ee, ekem1, s, es -> s, se",
    "NKhfs+psk0": "<- s ... -> psk, e, es, e1 <- e, ee, ekem1",
    "X1X1hfs": "-> e, e1 <- e, ee, ekem1, s -> es, s <- se",
}


def parse(text: str) -> tuple[list[str], list[list[str]]]:
    """The pre-messages ("-> s", "<- s") and the tokens of each message."""
    before, _, after = text.rpartition("...")
    lines = [[line.strip() for line in re.split(r"(?=->|<-)", part) if line.strip()] for part in (before, after)]
    return lines[0], [[token.strip() for token in line[2:].split(",")] for line in lines[1]]


def pattern_of(name: str) -> tuple[list[str], list[list[str]]]:
    base, modifiers = re.fullmatch(r"([A-Z0-9]+)(.*)", name).groups()
    pre, messages = parse(BASE[base])
    for modifier in filter(None, modifiers.split("+")):
        if modifier == "hfs":
            add_hfs(messages)
        elif modifier == "psk0":
            messages[0] = ["psk"] + messages[0]
        else:
            assert modifier.startswith("psk")
            messages[int(modifier[3:]) - 1] = messages[int(modifier[3:]) - 1] + ["psk"]
    return pre, messages


def add_hfs(messages: list[list[str]]) -> None:
    """Section 5 of the KEM extension."""
    for index, message in enumerate(messages):
        if "e" in message:
            after = next((token for token in message if token in ("ee", "es", "se", "ss")), "e")
            messages[index] = insert_after(message, after, "e1")
            break
    for index, message in enumerate(messages):
        if "ee" in message:
            messages[index] = insert_after(message, "ee", "ekem1")
            return
    raise ValueError("hfs needs ee")


def insert_after(message: list[str], token: str, new: str) -> list[str]:
    at = message.index(token) + 1
    return message[:at] + [new] + message[at:]


def psk_sets(base: str) -> list[list[str]]:
    """No psk, one in each place, each pair, and all at once."""
    all_of_them = [f"psk{place}" for place in range(len(pattern_of(base)[1]) + 1)]
    pairs = [[a, b] for i, a in enumerate(all_of_them) for b in all_of_them[i + 1 :]]
    return [[]] + [[one] for one in all_of_them] + pairs + ([all_of_them] if len(all_of_them) > 2 else [])


for _name, _text in EXAMPLES.items():
    assert pattern_of(_name) == parse(_text), _name
