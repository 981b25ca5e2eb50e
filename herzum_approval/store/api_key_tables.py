"""The table of API keys."""

from peewee import BigIntegerField, BooleanField, IntegerField, TextField

from herzum_approval.store.columns import MomentField, NumberField, Table


class ApiKey(Table):
    """An API key of Approval Path. Its value is in none of these, but encrypted and as a keyed digest.

    creator, performer_user, performer_default_user, performer_group: names that refer to no rows.
    """

    id = NumberField()
    name = TextField()
    product = TextField()
    creator = TextField()
    key_id = TextField(index=True)
    ciphertext = TextField()
    digest = TextField(unique=True)
    created_at = MomentField()
    modified_at = MomentField()
    description = TextField()
    can_get_status = BooleanField()
    can_list_definitions = BooleanField()
    can_create = BooleanField()
    can_delete = BooleanField()
    performer_origin = TextField(null=True)
    performer_user = TextField(null=True)
    performer_field_id = TextField(null=True)
    performer_default_user = TextField(null=True)
    performer_group = TextField(null=True)
    valid_from = MomentField(null=True)
    valid_until = MomentField(null=True)
    allowed_ips = TextField()
    used_at = MomentField(null=True)
    usage_count = BigIntegerField()
    version = IntegerField()
