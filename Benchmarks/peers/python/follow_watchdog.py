#!/usr/bin/env python3
"""What services in Python do with watchdog: load the mount when something happened to `..data`. With
a debounce they wait until nothing has happened for so many seconds.

    follow_watchdog.py DIR [DEBOUNCE]       0.1, as is usual
"""

import sys
import threading

import applied
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer


class Handler(FileSystemEventHandler):
    def __init__(self, directory, debounce):
        self.directory = directory
        self.debounce = debounce
        self.timer = None

    def on_any_event(self, event):
        if not {"created", "modified", "moved"} & {event.event_type}:
            return
        if "..data" not in event.src_path and "..data" not in event.dest_path:
            return
        if not self.debounce:
            self.load()
            return
        if self.timer:
            self.timer.cancel()
        self.timer = threading.Timer(self.debounce, self.load)
        self.timer.start()

    def load(self):
        try:
            values = applied.load(self.directory)
        except OSError as error:
            print(error, file=sys.stderr)
            return
        applied.tell(values)


directory = sys.argv[1]
handler = Handler(directory, float(sys.argv[2]) if len(sys.argv) > 2 else 0)
observer = Observer()
observer.schedule(handler, directory, recursive=False)
observer.start()
handler.load()
threading.Event().wait()  # until the harness ends it
