import threading

heard = threading.Event()


def told(notify_id, notifier_id, watch_id, data):
    say(f"heard {data!r}")
    heard.set()


watch = io.watch("bell", told)
say("watching")
assert heard.wait(110), "heard nothing"
for _ in range(1200):
    if io.stat("bell")[0] > 0:
        break
    time.sleep(0.05)
io.notify("bell", "from python", 60000)  # heard here, too
watch.close()
