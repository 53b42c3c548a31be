"""The records that every peer logs."""

MESSAGE = "User authenticated"
FIELDS = {"user_id": 7, "method": "password", "ok": True}
TEN = {f"field_{at}": at * 1.5 if at % 2 else f"value {at}" for at in range(10)}

LINE_BYTES = 250
"""Of a record whose size matters, as JSON Lines with its line feed."""


def fill(path, number, **settings):
    """Logs `number` records of `LINE_BYTES` into a journal and ends it."""
    import glob

    import treering

    treering.configure(directory=path, console=False, block_timeout_s=60, **settings)
    info = treering.get_logger("bench").info

    def log(numbers, text):
        for at in numbers:
            info("Paid", number=10_000_000 + at, text=text)

    # Neither the length of this file's path nor of a process number is to matter.
    log.__code__ = log.__code__.replace(co_filename="main.py")
    log([0], "")
    treering.flush()
    with open(glob.glob(f"{path}/active/*")[0], "rb") as file:
        short = file.readlines()[-1]
    log(range(1, number), "x" * (LINE_BYTES - len(short)))
    assert treering.shutdown(60)
