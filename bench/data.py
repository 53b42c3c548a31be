"""The records that every peer logs."""

MESSAGE = "User authenticated"
FIELDS = {"user_id": 7, "method": "password", "ok": True}
TEN = {f"field_{at}": at * 1.5 if at % 2 else f"value {at}" for at in range(10)}
