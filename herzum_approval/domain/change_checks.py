"""Whether a mapping, an approval, a configuration or a site of the cloud fits into the site as it stands.

The rules are those of a whole site (`site_references`, `site_checks`), asked about the one entry.
"""

from dataclasses import replace
from itertools import chain

from herzum_approval.domain.api_keys import ApiKey
from herzum_approval.domain.approval_path_checks import definition_link_faults, definition_value_faults
from herzum_approval.domain.approval_paths import ApprovalDefinition, Condition
from herzum_approval.domain.approvals import Approval
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.confluence import Page, Space
from herzum_approval.domain.custom_roles import JsmSite
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.site_checks import Workflows, is_of
from herzum_approval.domain.site_references import link_faults, value_faults
from herzum_approval.domain.sites import Site
from herzum_approval.errors import Fault, Problem


def check_mapping(mapping: ApprovalMapping, site: Site) -> None:
    """Do nothing where the mapping fits. site: at least all that the mapping mentions.

    Whether its scope is free is another question.
    Raises: VALUE_INVALID, REFERENCE_INVALID, WORKFLOW_READ_ONLY, TRANSITION_UNFIT.
    """
    _check(replace(site, approval_mappings=(mapping,)), "approval_mappings[0].")
    if mapping.issue_id is not None and not any(is_of(issue, mapping) for issue in site.issues):
        reason = "the issue is of another project or issue type"
        raise Problem(Fault.REFERENCE_INVALID, field="issue_id", reason=reason)
    workflows = Workflows(site)
    place = (mapping.project_id, mapping.issue_type_id)
    workflow = workflows.of(*place)
    if workflow.is_system:
        raise Problem(Fault.WORKFLOW_READ_ONLY, name=workflow.name)
    for path, transition_id in (
        ("transition_id", mapping.transition_id),
        ("settings.rejection_transition_id", mapping.settings.rejection_transition_id),
    ):
        if transition_id is None:
            continue
        unfit = workflows.transition_fault(*place, mapping.source_status_id, transition_id)
        if unfit is not None:
            raise Problem(Fault.TRANSITION_UNFIT, field=path, reason=unfit)


def check_approval(approval: Approval, site: Site) -> None:
    """Do nothing where the approval fits. site: at least all that the approval mentions.

    Whether its name is free is another question.
    Raises: VALUE_INVALID, REFERENCE_INVALID.
    """
    _check(replace(site, approvals=(approval,)), "approvals[0].")


def check_api_key(key: ApiKey, site: Site) -> None:
    """Do nothing where the API key fits. site: at least all that the key mentions.

    Raises: VALUE_INVALID, REFERENCE_INVALID.
    """
    _check(replace(site, api_keys=(key,)), "api_keys[0].")


def check_configuration(configuration: Configuration, site: Site) -> None:
    """Do nothing where the configuration fits. site: at least all that the configuration mentions.

    Raises: VALUE_INVALID, REFERENCE_INVALID.
    """
    _check(replace(site, configuration=configuration), "configuration.")


def check_definition(definition: ApprovalDefinition, site: Site) -> None:
    """Do nothing where the definition fits. site: at least all that the definition mentions.

    Raises: VALUE_INVALID, REFERENCE_INVALID.
    """
    _check(replace(site, approval_definitions=(definition,)), "approval_definitions[0].")


def check_condition(condition: Condition) -> None:
    """Do nothing where the condition can be asked. Raises: VALUE_INVALID."""
    _check(Site(approval_conditions=(condition,)), "approval_conditions[0].")


def check_space(space: Space) -> None:
    """Do nothing where the space can be. Raises: VALUE_INVALID."""
    _check(Site(spaces=(space,)), "spaces[0].")


def check_page(page: Page, site: Site) -> None:
    """Do nothing where the page fits. site: at least all that the page mentions.

    Raises: REFERENCE_INVALID.
    """
    _check(replace(site, pages=(page,)), "pages[0].")


def check_jsm_site(jsm_site: JsmSite, site: Site) -> None:
    """Do nothing where the site of the cloud fits. site: at least all that it mentions.

    Raises: VALUE_INVALID, REFERENCE_INVALID.
    """
    _check(replace(site, jsm_sites=(jsm_site,)), "jsm_sites[0].")
    if len(set(jsm_site.administrators)) < len(jsm_site.administrators):
        raise Problem(Fault.VALUE_INVALID, field="administrators", reason="names somebody twice")


def _check(site: Site, prefix: str) -> None:
    """Look at the entry alone: what it mentions may itself mention what was not read."""
    for fault, found in (
        (Fault.VALUE_INVALID, chain(value_faults(site), definition_value_faults(site))),
        (Fault.REFERENCE_INVALID, chain(link_faults(site), definition_link_faults(site))),
    ):
        for path, reason in found:
            if path.startswith(prefix):
                raise Problem(fault, field=path.removeprefix(prefix), reason=reason)
