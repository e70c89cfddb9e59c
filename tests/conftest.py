"""What every test stands on: the embedded database in a folder of its own, or PostgreSQL when its address is given."""

from __future__ import annotations

import os
import tempfile

# Before Django reads its settings: nothing of a test may touch a real install.
os.environ["COMMONWATT_DATA_DIR"] = tempfile.mkdtemp(prefix="commonwatt-test-")
os.environ.pop("COMMONWATT_DATABASE_URL", None)
if os.environ.get("COMMONWATT_TEST_DATABASE") == "postgres":
    os.environ["COMMONWATT_DATABASE_URL"] = os.environ["COMMONWATT_TEST_POSTGRES_URL"]
