"""Verify a trail's JSONL export: python3 verify_export.py [--part] < trail.jsonl   (plain Python alone)"""

import hashlib
import json
import sys

previous, count, part = None, 0, "--part" in sys.argv
for text in sys.stdin:
    line = json.loads(text)
    body = json.dumps(line["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    told = f"{line['seq']}\n{line['prev']}\n{body}".encode()
    if hashlib.sha256(told).hexdigest() != line["hash"]:
        sys.exit(f"line {line['seq']}: its hash does not match its content")
    follows = previous and (line["seq"], line["prev"]) == (previous["seq"] + 1, previous["hash"])
    left_out = previous and part and line["seq"] > previous["seq"] + 1  # an export of a part leaves lines out
    if previous and not follows and not left_out:
        sys.exit(f"line {line['seq']}: does not follow from line {previous['seq']}")
    previous, count = line, count + 1
print(f"{count} lines, intact; the last is {previous['seq']}:{previous['hash']}" if previous else "no lines")
