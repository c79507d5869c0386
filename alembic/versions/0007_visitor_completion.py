"""what visitors add to their bookings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "booking_completion",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("completed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["booking.id"], name=op.f("fk_booking_completion_id_booking")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_booking_completion_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_completion")),
    )
    op.create_index(op.f("ix_booking_completion_site_id"), "booking_completion", ["site_id"])
    op.create_table(
        "booking_photo",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("consent_id", sa.String(), nullable=False),
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("checked", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.id"], name=op.f("fk_booking_photo_booking_id_booking")
        ),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["consent_record.id"], name=op.f("fk_booking_photo_consent_id_consent_record")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_booking_photo_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_photo")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_booking_photo_booking_id")),
    )
    op.create_index(op.f("ix_booking_photo_consent_id"), "booking_photo", ["consent_id"])
    op.create_index(op.f("ix_booking_photo_site_id"), "booking_photo", ["site_id"])


def downgrade() -> None:
    op.drop_table("booking_photo")
    op.drop_table("booking_completion")
