# SPDX-License-Identifier: GPL-3.0-or-later
"""Work beside Blender's window: a thread that may be asked to stop, and what
the panel shows of it. The thread never touches Blender's data; what it has to
say it leaves here for the main thread."""

import threading

from .broker import Trouble


class Stopped(Trouble):
    pass


class Task:
    def __init__(self):
        self.what = ""  # "sending files"
        self.done = self.total = 0  # bytes
        self.trouble = None
        self._stop = threading.Event()
        self._thread = None

    # What the thread calls.

    def begin(self, what, total=0):
        self.what, self.done, self.total = what, 0, total

    def step(self, n):
        self.done += n
        self.check()

    def check(self):
        if self._stop.is_set():
            raise Stopped("stopped")

    def rest(self, seconds):
        self._stop.wait(seconds)
        self.check()

    # What the main thread calls.

    def start(self, work):
        """Runs work(task) in a thread that does not keep Blender open."""
        self._thread = threading.Thread(target=self._run, args=(work,),
                                        name="frameq", daemon=True)
        self._thread.start()
        return self

    def _run(self, work):
        try:
            work(self)
        except Stopped:
            pass
        except Trouble as trouble:
            self.trouble = str(trouble)
        except OSError as error:
            self.trouble = str(error)
        except Exception as error:  # shown rather than lost with the thread
            self.trouble = f"frameq's add-on failed: {error!r}"
            raise

    def running(self):
        return self._thread is not None and self._thread.is_alive()

    def stop(self):
        self._stop.set()

    def join(self):
        self._thread.join()

    def fraction(self):
        return min(1, self.done / self.total) if self.total else 0
