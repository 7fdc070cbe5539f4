"""AWS's Session Manager plugin and, behind it, the agent in a container, as far as anybody sees them.

The plugin: takes its session as AWS's own does, and refuses what that refuses; gives up when its input
ends; passes Ctrl-C on; tells nobody how a command ended. The agent: splits the command and runs it on a
terminal of its own. Files beside this one say what is otherwise: `version`, `lost`, `silent`.
"""

import fcntl
import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import termios
import tty
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
RESPONSE = "AWS_SSM_START_SESSION_RESPONSE"


def setting(name, default=None):
    try:
        with open(os.path.join(HERE, name)) as file:
            return file.read().strip()
    except FileNotFoundError:
        return default


def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def give_up(why):
    say(f"Cannot perform start session: {why}\n")
    sys.exit(0)


def run(command):
    """The agent: the command's process, and its terminal."""
    terminal, other_side = pty.openpty()
    words = shlex.split(command)

    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        words,
        stdin=other_side,
        stdout=other_side,
        stderr=other_side,
        start_new_session=True,
        preexec_fn=take_terminal,
        env={"PATH": os.environ["PATH"], "TERM": "xterm-256color"},
        cwd="/",
    )
    os.close(other_side)
    return process, terminal


def main():
    if sys.argv[1:] == ["--version"]:
        say(setting("version", "1.2.764.0") + "\n")
        return
    response = os.environ.pop(RESPONSE, None) if sys.argv[1] == RESPONSE else sys.argv[1]
    with open(os.path.join(HERE, "sessions"), "a") as file:
        json.dump({"arguments": sys.argv[1:], "response": response}, file)
        file.write("\n")
    _, region, operation, profile, request, endpoint = sys.argv[1:]
    session = json.loads(response)
    if operation != "StartSession" or not session["TokenValue"]:
        give_up("no session")
    say(f"\nStarting session with SessionId: {session['SessionId']}\n")
    if setting("silent") is not None:
        give_up("EOF")
    if os.isatty(0):
        tty.setcbreak(0)
        modes = termios.tcgetattr(0)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSANOW, modes)
    query = urllib.parse.parse_qs(urllib.parse.urlparse(session["StreamUrl"]).query)
    process, terminal = run(bytes.fromhex(query["command"][0]).decode())
    signal.signal(signal.SIGINT, lambda *_: os.write(terminal, b"\x03"))
    while True:
        ready, _, _ = select.select([0, terminal], [], [])
        if 0 in ready:
            data = os.read(0, 1024)
            if not data:
                process.kill()
                give_up("EOF")
            os.write(terminal, data)
        if terminal in ready:
            try:
                data = os.read(terminal, 1024)
            except OSError:
                # The terminal's other side is closed.
                break
            os.write(1, data)
            if setting("lost") is not None:
                process.kill()
                sys.exit(0)
    process.wait()
    # Nothing puts the terminal of a plugin that was killed right; one that ends does it itself.
    say(f"\n\nExiting session with sessionId: {session['SessionId']}.\n\n")


main()
