"""faults of devices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_fault",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("lane_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("device_name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("taken_by", sa.String(), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name=op.f("fk_device_fault_lane_id_lane")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_device_fault_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_fault")),
    )
    op.create_index(op.f("ix_device_fault_began_at"), "device_fault", ["began_at"])
    op.create_index(op.f("ix_device_fault_device_id"), "device_fault", ["device_id"])
    op.create_index(op.f("ix_device_fault_site_id"), "device_fault", ["site_id"])


def downgrade() -> None:
    op.drop_table("device_fault")
