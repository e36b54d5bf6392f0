# SPDX-License-Identifier: Apache-2.0
"""Name spaces for one run of this program: processes, mounts and networks that
are gone when it is."""

import os
import subprocess
import sys

import netns

INSIDE = "FRAMEQ_CHAOS_INSIDE"
PRIVATE_RUN = ("mount", "-t", "tmpfs", "frameq", "/run")  # for ip netns


def enter():
    """Has the rest done in name spaces of their own, where all processes and
    networks end with this program, however it ends, and exits. Returns inside,
    or, with the reason, where there are none."""
    if os.environ.get(INSIDE):
        subprocess.run(PRIVATE_RUN, check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
        return netns.missing()
    spaces = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork",
              "--kill-child=KILL", "--mount", "--mount-proc", "--net"]
    probe = subprocess.run([*spaces, *PRIVATE_RUN], capture_output=True,
                           text=True, check=False)
    if probe.returncode != 0:
        return probe.stderr.strip()
    with subprocess.Popen([*spaces, sys.executable, *sys.argv],
                          env={**os.environ, INSIDE: "1"}) as inside:
        try:
            sys.exit(inside.wait())
        finally:
            inside.kill()
