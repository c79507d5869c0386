"""lane computers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lane_agent",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("lane_ids", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_until", sa.DateTime(), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("config", sa.String(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("clock_offset_ms", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(), nullable=True),
        sa.Column("seen_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_lane_agent_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane_agent")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_lane_agent_code_hash")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_lane_agent_secret_hash")),
    )
    with op.batch_alter_table("lane_agent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lane_agent_site_id"), ["site_id"], unique=False)
    op.create_table(
        "agent_stream",
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("recent", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["lane_agent.id"], name=op.f("fk_agent_stream_agent_id_lane_agent")
        ),
        sa.PrimaryKeyConstraint("agent_id", "stream", name=op.f("pk_agent_stream")),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agent_id", sa.String(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_device_agent_id_lane_agent"), "lane_agent", ["agent_id"], ["id"]
        )
        batch_op.create_index(batch_op.f("ix_device_agent_id"), ["agent_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_agent_id"))
        batch_op.drop_constraint(batch_op.f("fk_device_agent_id_lane_agent"), type_="foreignkey")
        batch_op.drop_column("agent_id")
    op.drop_table("agent_stream")
    with op.batch_alter_table("lane_agent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lane_agent_site_id"))
    op.drop_table("lane_agent")
