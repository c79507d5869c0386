"""registrations by one's own phone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "self_registration",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("lane_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("visitor_type", sa.String(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("notice_version", sa.String(), nullable=False),
        sa.Column("notice_locale", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("attempt_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempt.id"], name=op.f("fk_self_registration_attempt_id_attempt")
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name=op.f("fk_self_registration_lane_id_lane")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_self_registration_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_registration")),
        sa.UniqueConstraint("nonce", name=op.f("uq_self_registration_nonce")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_self_registration_secret_hash")),
    )
    for column in ("attempt_id", "created_at", "lane_id", "site_id", "status"):
        op.create_index(op.f(f"ix_self_registration_{column}"), "self_registration", [column])


def downgrade() -> None:
    op.drop_table("self_registration")
