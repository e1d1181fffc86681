"""Runs the cases of the Autobahn test suite against a WebSocket that says back what it is told.

The suite (autobahntestsuite on PyPI) is written for Python 2, which is no more. Its cases are taken as they are and
turned into Python 3 by lib2to3; what drove them, the fuzzing client, is written anew below, for today's autobahn. In
Python 2 bytes are text, and the cases rely on it: so what goes to a case is text of one character for each byte, and
text that comes from a case becomes bytes the same way.

    websocket_cases.py URL FOLDER [PREFIX ...]     FOLDER holds the package; PREFIX like 9.1 runs only such cases
"""

import binascii
import json
import sys
import time

from twisted.internet import reactor

sys.path.insert(0, sys.argv[2])

def to_bytes(value):
    return value.encode("latin-1") if isinstance(value, str) else value


of_bytes = binascii.b2a_hex
binascii.b2a_hex = lambda data: of_bytes(data.encode("latin-1")).decode() if isinstance(data, str) else of_bytes(data)

from autobahn.twisted.websocket import (  # noqa: E402
    WebSocketClientFactory,
    WebSocketClientProtocol,
    connectWS,
)
from autobahn.websocket.utf8validator import Utf8Validator  # noqa: E402

validate_bytes = Utf8Validator.validate
Utf8Validator.validate = lambda self, data: validate_bytes(self, to_bytes(data))

from autobahntestsuite.case import Cases  # noqa: E402
from autobahntestsuite.case.case import Case  # noqa: E402

# Compression: Terrane compresses in its own protocol, and offers none here.
LEFT_OUT = ("12", "13")
GOOD = {Case.OK, Case.NON_STRICT, Case.INFORMATIONAL}


def to_text(value):
    """The same in Python 2's view: bytes are text, whatever they are in."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (list, tuple)):
        return [to_text(one) for one in value]
    return value


Case.compare = lambda self, one, other: to_text(one) == to_text(other)


class Client(WebSocketClientProtocol):
    """What a case calls `p`."""

    connectionWasOpen = False
    createWirelog = False

    def connectionMade(self):
        self.txFrameStats = {}
        super().connectionMade()

    def logTxFrame(self, header, *_):
        self.txFrameStats[header.opcode] = self.txFrameStats.get(header.opcode, 0) + 1

    def logRxFrame(self, *_):
        pass

    def enableWirelog(self, _):
        pass

    def onOpen(self):
        self.connectionWasOpen = True
        self.case.onOpen()

    def onMessage(self, payload, is_binary):
        self.case.onMessage(to_text(payload), is_binary)

    def onPing(self, payload):
        # As the suite's own client: a ping is noted, and not answered.
        self.case.onPing(to_text(payload))

    def onPong(self, payload):
        self.case.onPong(to_text(payload))

    def onClose(self, was_clean, code, reason):
        self.case.onClose(was_clean, code, reason)

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self.case.onConnectionLost(self.failedByMe)
        self.factory.done(self.case)

    def later(self, delay_s, act):
        def if_open():
            if self.state != self.STATE_CLOSED:
                act()

        reactor.callLater(delay_s, if_open)

    def continueLater(self, delay_s, act, tag=None):
        self.later(delay_s, act)

    def killAfter(self, delay_s):
        self.later(delay_s, self._fail_connection)

    def closeAfter(self, delay_s):
        self.later(delay_s, self.sendClose)

    def sendFrame(self, opcode, payload=b"", **options):
        super().sendFrame(opcode, to_bytes(payload), **options)

    def sendData(self, data, *rest, **options):
        super().sendData(to_bytes(data), *rest, **options)

    def sendMessage(self, payload, *rest, **options):
        super().sendMessage(to_bytes(payload), *rest, **options)

    def sendMessageFrameData(self, payload, *rest, **options):
        return super().sendMessageFrameData(to_bytes(payload), *rest, **options)

    def sendPing(self, payload=None):
        super().sendPing(to_bytes(payload))

    def sendPong(self, payload=None):
        super().sendPong(to_bytes(payload))

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        super().sendCloseFrame(code, to_bytes(reasonUtf8), isReply)


class Runner(WebSocketClientFactory):
    """One case after the other."""

    noisy = False

    def __init__(self, url, prefixes):
        super().__init__(url)
        self.setProtocolOptions(failByDrop=False)
        self.logFrames = True
        self.waiting = [case for case in Cases if wanted(number(case), prefixes)]
        self.results = {}
        self.next()

    def next(self):
        if not self.waiting:
            reactor.stop()
            return
        self.kind = self.waiting.pop(0)
        connectWS(self)

    def buildProtocol(self, _):
        client = Client()
        client.factory = self
        client.case = self.kind(client)
        self.began_at = time.monotonic()
        return client

    def clientConnectionFailed(self, _, reason):
        self.results[number(self.kind)] = ("FAILED", "FAILED", str(reason.value))
        reactor.stop()

    def done(self, case):
        spent = time.monotonic() - self.began_at
        found = (case.behavior, case.behaviorClose, case.result)
        self.results[number(self.kind)] = found
        if not is_good(found):
            print(f"{number(self.kind)}: {found} after {spent:.1f} s", flush=True)
        reactor.callLater(0, self.next)


def number(case):
    return case.__name__.removeprefix("Case").replace("_", ".")


def wanted(name, prefixes):
    if name.split(".")[0] in LEFT_OUT:
        return False
    return not prefixes or any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def is_good(found):
    return found[0] in GOOD and found[1] in GOOD


if __name__ == "__main__":
    runner = Runner(sys.argv[1], sys.argv[3:])
    reactor.run()
    counts = {}
    for behavior, close, _ in runner.results.values():
        counts[f"{behavior}, close {close}"] = counts.get(f"{behavior}, close {close}", 0) + 1
    print(json.dumps(counts))
    bad = [name for name, found in runner.results.items() if not is_good(found)]
    print(f"{len(runner.results)} cases, {len(bad)} failed")
    sys.exit(1 if bad or not runner.results else 0)
