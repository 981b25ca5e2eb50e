"""What makes a site whole beside its references."""

from herzum_approval.domain.approvals import ConditionalRule
from herzum_approval.domain.site_checks import faults
from herzum_approval.domain.sites import Site


def test_a_conditional_rule_must_be_a_condition_in_jql():
    good = ConditionalRule(id=1, name="good", jql="project = TEST AND priority != Low")
    texts = ("", "priority", "project = TEST ORDER BY key")
    bad = [ConditionalRule(id=id, name=f"bad {id}", jql=jql) for id, jql in enumerate(texts, start=2)]
    found = list(faults(Site(conditional_rules=(good, *bad))))
    assert [fault.path for fault in found] == [f"conditional_rules[{place}].jql" for place in (1, 2, 3)]
    assert found[0].reason == "Error in the JQL Query: Expecting a field name at the end of the query."
