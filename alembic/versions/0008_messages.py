"""messages: leases of the outbox, texts, hours, choices, reminders"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
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
    op.create_table(
        "message_template",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_message_template_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_template")),
        sa.UniqueConstraint(
            "site_id", "event", "locale", name=op.f("uq_message_template_site_id_event_locale")
        ),
    )
    op.create_table(
        "message_policy",
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=False),
        sa.Column("quiet_until", sa.Integer(), nullable=False),
        sa.Column("reminder_minutes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_message_policy_site_id_site")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_message_policy")),
    )
    op.create_table(
        "message_preference",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sms", sa.Boolean(), nullable=False),
        sa.Column("email", sa.Boolean(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["person.id"], name=op.f("fk_message_preference_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_preference")),
    )
    op.create_table(
        "visit_reminder",
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("posted_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.id"], name=op.f("fk_visit_reminder_booking_id_booking")
        ),
        sa.PrimaryKeyConstraint("booking_id", "starts_at", name=op.f("pk_visit_reminder")),
    )
    op.create_index(op.f("ix_visit_reminder_posted_at"), "visit_reminder", ["posted_at"])


def downgrade() -> None:
    for table in ("visit_reminder", "message_preference", "message_policy", "message_template"):
        op.drop_table(table)
    with op.batch_alter_table("outbox_message") as batch:
        for name in ("receipt", "doubtful", "lease_until", "leased_by"):
            batch.drop_column(name)
