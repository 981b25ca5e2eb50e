"""What makes the sites, roles and assignments of JSM Operations whole, their references aside."""

from collections.abc import Iterator

from herzum_approval.domain.custom_roles import role_faults
from herzum_approval.domain.site_references import SiteFault
from herzum_approval.domain.sites import Site


def custom_role_faults(site: Site) -> Iterator[SiteFault]:
    """Give every role that could not be, and everybody who has two roles on one site."""
    named: set[tuple[str, str]] = set()
    for place, role in enumerate(site.custom_roles):
        path = f"custom_roles[{place}]"
        for attribute, reason in role_faults(role).items():
            yield SiteFault(f"{path}.{attribute}", reason)
        for attribute in ("granted_rights", "disallowed_rights"):
            rights = getattr(role, attribute)
            if len(set(rights)) < len(rights):
                yield SiteFault(f"{path}.{attribute}", "holds a right twice")
        if (role.cloud_id, role.name) in named:
            yield SiteFault(f"{path}.name", f"{role.name!r} is there already")
        named.add((role.cloud_id, role.name))
    cloud_ids = {role.id: role.cloud_id for role in site.custom_roles}
    holders: set[tuple[str, str]] = set()
    for place, assignment in enumerate(site.role_assignments):
        holder = (cloud_ids[assignment.role_id], assignment.username)
        if holder in holders:
            yield SiteFault(f"role_assignments[{place}]", "its user has a role on this site already")
        holders.add(holder)
