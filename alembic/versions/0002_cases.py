"""cases of abnormal documents, and how badges are printed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_file",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.String(), nullable=False),
        sa.Column("lane_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("risk_class", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("picture_id", sa.String(), nullable=False),
        sa.Column("picture_state", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("purged_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_case_file_attempt_id_attempt")),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name=op.f("fk_case_file_lane_id_lane")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_case_file_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_case_file_attempt_id")),
        sa.UniqueConstraint("site_id", "year", "number", name=op.f("uq_case_file_site_id_year_number")),
    )
    for column in ("site_id", "status", "opened_at", "closed_at"):
        op.create_index(op.f(f"ix_case_file_{column}"), "case_file", [column], unique=False)
    op.create_table(
        "case_item",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_item_case_id_case_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_item")),
    )
    op.create_index(op.f("ix_case_item_case_id"), "case_item", ["case_id"], unique=False)
    with op.batch_alter_table("site_policy") as table:
        table.add_column(sa.Column("print_at_once", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("badge_name", sa.String(), nullable=False, server_default="masked"))


def downgrade() -> None:
    with op.batch_alter_table("site_policy") as table:
        table.drop_column("badge_name")
        table.drop_column("print_at_once")
    op.drop_table("case_item")
    op.drop_table("case_file")
