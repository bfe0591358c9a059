"""Makes a fresh SQLite database fit for Keystone: python3 prepare-database.py <path>

WAL, because otherwise a reader and a writer at once end in "database is locked".

Triggers, because SQLite does not enforce foreign keys unless each connection asks for it, and Keystone does not: the
roles of a deleted application credential would stay, and be taken for those of the next one, whose row number is the same.
"""

import sqlite3
import sys

connection = sqlite3.connect(sys.argv[1])
connection.execute("pragma journal_mode = wal")
for table in ("application_credential_role", "application_credential_access_rule"):
    connection.execute(
        f"create trigger {table}_cascade after delete on application_credential begin"
        f" delete from {table} where application_credential_id = old.internal_id; end"
    )
connection.commit()
