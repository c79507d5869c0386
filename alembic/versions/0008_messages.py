"""leases of outbox messages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("outbox_message") as batch:
        batch.add_column(sa.Column("leased_by", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("lease_until", sa.DateTime(), nullable=True))
        batch.add_column(sa.Column("doubtful", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("receipt", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("outbox_message") as batch:
        for name in ("leased_by", "doubtful", "receipt"):
            batch.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("outbox_message") as batch:
        for name in ("receipt", "doubtful", "lease_until", "leased_by"):
            batch.drop_column(name)
