"""The tables of approval paths, and of the pages and spaces that some are for.

What a definition, or a run, is made of is read and written as a whole, and kept as JSON. People and
groups in it are names that refer to no rows; `site_checks` sees to them.
"""

from peewee import SQL, BooleanField, IntegerField, TextField

from herzum_approval.store.columns import MomentField, NumberField, Table, reference


class Space(Table):
    id = NumberField()
    key = TextField(unique=True)
    name = TextField()
    version = IntegerField(default=1)


class Page(Table):
    id = NumberField()
    space = reference(Space, index=True)
    title = TextField()
    creator = TextField(null=True)
    modifier = TextField(null=True)
    version = IntegerField(default=1)


class PageComment(Table):
    id = NumberField()
    page = reference(Page, index=True, on_delete="CASCADE")
    author = TextField(null=True)
    body = TextField()
    created_at = MomentField()


class ApprovalCondition(Table):
    id = NumberField()
    name = TextField(unique=True)
    jql = TextField()
    version = IntegerField(default=1)


class ApprovalDefinition(Table):
    """collection_id: a project or a space, so it is no reference; nor is condition_id, as those of steps."""

    id = NumberField()
    product = TextField()
    name = TextField()
    description = TextField()
    collection_id = IntegerField(null=True)
    condition_id = IntegerField(null=True)
    is_available_for_customers = BooleanField()
    steps = TextField()  # a JSON list
    rejection_steps = TextField()  # a JSON list
    success_steps = TextField(constraints=[SQL("DEFAULT '[]'")])  # a JSON list
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("product", "collection_id", "id"), False),)


class ApprovalPath(Table):
    """A run. ref_id: an issue or a page; definition_id: outlived by the run; so neither is a reference."""

    id = NumberField()
    product = TextField()
    definition_id = IntegerField()
    name = TextField()
    summary = TextField()
    collection_id = IntegerField()
    ref_id = IntegerField()
    started_by = TextField()
    started_at = MomentField()
    modified_at = MomentField()
    path_status = TextField()
    expires_at = MomentField(null=True)
    allows_abstaining = BooleanField()
    steps = TextField()  # a JSON list
    rejection_steps = TextField()  # a JSON list
    success_steps = TextField(constraints=[SQL("DEFAULT '[]'")])  # a JSON list
    version = IntegerField()

    class Meta:
        indexes = ((("product", "ref_id", "id"), False), (("path_status", "id"), False))


class HttpCall(Table):
    id = NumberField()
    path = reference(ApprovalPath, index=True, on_delete="CASCADE")
    position = IntegerField()
    is_of_rejection = BooleanField()
    is_of_success = BooleanField(constraints=[SQL("DEFAULT FALSE")])
    created_at = MomentField()
    method = TextField()
    url = TextField()
    headers = TextField()
    body = TextField()
    state = TextField()
    status = IntegerField(null=True)
    error = TextField(null=True)
    answered_at = MomentField(null=True)
    claimed_at = MomentField(null=True)

    class Meta:
        indexes = ((("state", "id"), False),)


class PathMail(Table):
    id = NumberField()
    path = reference(ApprovalPath, index=True, on_delete="CASCADE")
    position = IntegerField()
    recipient = TextField()
    kind = TextField()
    created_at = MomentField()
    sent_at = MomentField(null=True, index=True)


APPROVAL_PATH_TABLES: tuple[type[Table], ...] = (
    Space, Page, PageComment, ApprovalCondition, ApprovalDefinition, ApprovalPath, HttpCall, PathMail,
)  # fmt: skip
"""In an order in which rows can be inserted."""
