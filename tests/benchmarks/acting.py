"""Somebody who approves a record and resets it, about twenty times a second, until killed.

Arguments: the port, the header `Cookie`, and the record.
"""

import itertools
import sys
import time
from http.client import HTTPConnection

PATH = "/rest/herzum-hap-services/1.0/api/issueapprovals"


def act_for_ever(port: int, cookie: str, record_id: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    for action in itertools.cycle(("APPROVE", "RESET")):
        headers = {"Cookie": cookie, "Content-Type": "application/json"}
        connection.request("POST", f"{PATH}/{record_id}/action", f'{{"action": "{action}"}}', headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        time.sleep(0.05)


if __name__ == "__main__":
    act_for_ever(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
