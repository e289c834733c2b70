"""Lines of machines and of what runs on many of them, in our own words: kinds, lines of each."""

from __future__ import annotations

__all__ = ["MACHINES"]

_SLOTS = "ABCDEFGH"
_HEX = ("7fed806eb5d", "70000000000", "1234567e", "ff83e97c", "12345678", "e0000001")
_IDS = ("3fa9c1d07b", "8812c04e5f", "1234567890", "0c5d77e1aa", "9e80b1f2c3", "4410237786")
_UUIDS = [f"{n}0f1c2d3-4e5f-{n}071-8293-a4b5c6d7e8f{n}" for n in range(6)]

# As `software.KINDS`.
MACHINES: dict[str, dict[str, list[str]]] = {
    "racks": {
        "memory errors corrected on bank <num>: symbol <num>, mask <hex>": [
            f"memory errors corrected on bank {n}: symbol {n * 3}, mask 0x{n}0" for n in range(6)
        ],
        "slot <*> of the rack has no board, serial <id>": [
            f"slot {slot} of the rack has no board, serial {n}9F3C{n}D0A77"
            for n, slot in enumerate(_SLOTS)
        ],
        "address register: <hex>": [f"address register: 0x{value}" for value in _HEX],
        "frames at (stack <hex>)": [
            f"frames at (stack @0x{one} @0x{other})"
            for one, other in zip(_HEX, reversed(_HEX), strict=True)
        ],
        "fan tray <id>:<id> speeds ( <num> <num> <num> )": [
            f"fan tray R0{n}-M1-N{n}:J1{n}-U01 speeds ( 33{n}0 34{n}1 35{n}2 )" for n in range(6)
        ],
        "link of <id> retrained in <num>": [
            f"link of R0{n}-M1-L2-U{n}-{slot} retrained in {n} ms" for n, slot in enumerate(_SLOTS)
        ],
        "control stream to <ip>:<num> was severed": [
            f"control stream to 10.0.{n}.7:3{n}411 was severed" for n in range(6)
        ],
    },
    "servicing of a desktop": {
        "package <id>, state: <num>, wanted:<num>": [
            f"package Update_for_KB29{n}331~31bf3856ad364e~amd64~~6.1.{n}, state: {n}, wanted:{n}"
            for n in range(6)
        ],
        "session <num> begun by the updater": [
            f"session 3054{n}11_27{n}33108 begun by the updater" for n in range(6)
        ],
        "store <num> (<hex>) opened": [
            f"store {n}4211 (0x000000000{n}a8c1f0) opened" for n in range(6)
        ],
        "no report could be sent [code = <hex> - E_FAIL]": [
            "no report could be sent [code = 0x80004005 - E_FAIL]"
        ],
        "report pattern: <path> flags: <hex>": [
            f"report pattern: C:\\Windows\\reports\\*_{part}.sqm, flags: 0x{n}"
            for n, part in enumerate(("std", "all", "few"))
        ],
    },
    "telephones": {
        "window <*> of task <*> goes to the back, stack <num>": [
            f"window {one} of task {other} goes to the back, stack {n}"
            for n, (one, other) in enumerate(zip(_IDS, reversed(_IDS), strict=True))
        ],
        "lock=<num>, flags=<hex>, tag=<str>, uid=<num>": [
            f'lock=23{n}8811, flags=0x1, tag="{tag}", uid=10{n}'
            for n, tag in enumerate(("view", "alarm", "*launch*", "radio ack"))
        ],
        "brightness: target=<num>, rate=<num>": [
            f"brightness: target={n * 11}, rate={n}" for n in range(6)
        ],
        "focus given up by uid/pid <num> client=<id>": [
            f"focus given up by uid/pid 10{n}/77{n} client=player@{value[:7]}"
            for n, value in enumerate(("f3a9c1d", "8812c0e", "c123456", "0c5d77e"))
        ],
    },
    "clouds": {
        "[instance: <id>] started": [f"[instance: {one}] started" for one in _UUIDS],
        "[instance: <id>] paused": [f"[instance: {one}] paused" for one in _UUIDS],
        "[instance: <id>] took <num> to start the guest": [
            f"[instance: {one}] took {n}.5 seconds to start the guest"
            for n, one in enumerate(_UUIDS)
        ],
        "image <id> at (<path>): in use": [
            f"image {one} at (/var/lib/images/base/{one}): in use" for one in _UUIDS
        ],
        "view: name=<id> ram=<num> disk=<num> cpus=<num> devices=[<empty>]": [
            f"view: name=cp-{n}.rack.example ram={n}024MB disk={n}0GB cpus={n} devices=[]"
            for n in range(1, 7)
        ],
    },
    "jobs on many machines": {
        "finished task <num> in stage <num> (TID <num>). <num> result": [
            f"finished task {n}.0 in stage {n}.0 (TID 3{n}). 20{n} bytes result" for n in range(6)
        ],
        "block <id> kept as values (estimated size <num>, free <num>)": [
            f"block {kind}_{n} kept as values (estimated size {n}.1 KB, free 3{n}.4 MB)"
            for n, kind in enumerate(("rdd", "shuffle", "broadcast", "rdd", "shuffle"))
        ],
        "split: <url>": [
            f"split: hdfs://10.0.0.7:9000/in/part-{n}.txt:{n}+12{n}" for n in range(6)
        ],
        "times: total = <num>, boot = <num>, end = <num>": [
            f"times: total = {n}3, boot = {boot}, end = {n}"
            for n, boot in enumerate((-40, 12, 0, -3, 77))
        ],
    },
}
