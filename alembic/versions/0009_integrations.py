"""keys of other systems, what they book, webhooks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "integration_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_integration_key_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_key")),
    )
    with op.batch_alter_table("integration_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_integration_key_site_id"), ["site_id"], unique=False)

    op.create_table(
        "webhook_subscription",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("old_secret", sa.LargeBinary(), nullable=True),
        sa.Column("old_until", sa.DateTime(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("stopped_by", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_webhook_subscription_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_subscription")),
    )
    with op.batch_alter_table("webhook_subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_subscription_site_id"), ["site_id"], unique=False)

    op.create_table(
        "integration_request",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["integration_key.id"], name=op.f("fk_integration_request_key_id_integration_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_request")),
        sa.UniqueConstraint(
            "key_id", "idempotency_key", name=op.f("uq_integration_request_key_id_idempotency_key")
        ),
        sa.UniqueConstraint("key_id", "webhook_id", name=op.f("uq_integration_request_key_id_webhook_id")),
    )
    with op.batch_alter_table("integration_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_integration_request_created_at"), ["created_at"], unique=False)

    op.create_table(
        "integration_secret",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("signing", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["key_id"], ["integration_key.id"], name=op.f("fk_integration_secret_key_id_integration_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_secret")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_integration_secret_token_hash")),
    )
    with op.batch_alter_table("integration_secret", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_integration_secret_key_id"), ["key_id"], unique=False)

    op.create_table(
        "outside_host",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("ext_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("deputy", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_outside_host_person_id_person")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_outside_host_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_host")),
        sa.UniqueConstraint("site_id", "ext_id", name=op.f("uq_outside_host_site_id_ext_id")),
    )
    with op.batch_alter_table("outside_host", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outside_host_person_id"), ["person_id"], unique=False)

    op.create_table(
        "outside_unit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("ext_id", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_outside_unit_site_id_site")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_outside_unit_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_unit")),
        sa.UniqueConstraint("site_id", "ext_id", name=op.f("uq_outside_unit_site_id_ext_id")),
    )
    with op.batch_alter_table("outside_unit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outside_unit_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "outside_booking",
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.id"], name=op.f("fk_outside_booking_booking_id_booking")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["integration_key.id"], name=op.f("fk_outside_booking_key_id_integration_key")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_outside_booking_site_id_site")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_outside_booking")),
        sa.UniqueConstraint("key_id", "ref", name=op.f("uq_outside_booking_key_id_ref")),
    )
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.add_column(sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("document_number", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("site_policy", schema=None) as batch_op:
        batch_op.add_column(sa.Column("booking_hours", sa.Integer(), nullable=False, server_default="48"))


def downgrade() -> None:
    with op.batch_alter_table("site_policy", schema=None) as batch_op:
        batch_op.drop_column("booking_hours")

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_column("document_number")

    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.drop_column("urgent")

    op.drop_table("outside_booking")
    with op.batch_alter_table("outside_unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outside_unit_unit_id"))

    op.drop_table("outside_unit")
    with op.batch_alter_table("outside_host", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outside_host_person_id"))

    op.drop_table("outside_host")
    with op.batch_alter_table("integration_secret", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_integration_secret_key_id"))

    op.drop_table("integration_secret")
    with op.batch_alter_table("integration_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_integration_request_created_at"))

    op.drop_table("integration_request")
    with op.batch_alter_table("webhook_subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_subscription_site_id"))

    op.drop_table("webhook_subscription")
    with op.batch_alter_table("integration_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_integration_key_site_id"))

    op.drop_table("integration_key")
