"""Words and a picture of the experiment that reports are tested with."""

import base64
import json

from ivdlib import profiles
from ivdlib.profiles import EXTENDABLE

PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63"
        "60000000020001e221bc330000000049454e44ae426082"
    )
).decode()
NAME = "<b>mine</b> & 'yours'"
PROFILE = json.loads(json.dumps(profiles.profile("test").to_dict()))
for grows in EXTENDABLE:
    del PROFILE[grows]
