/*
 * Makes a table of a rules.def. Before: RULES_FILE, the file's path in quotes; RULES_TABLE, the table's name. The facts' structs must be
 * known. A row is
 *
 *   RULE(token, flavours, "id in 19005-1", "id in 19005-2 and -3", "id in 19005-4", test, "tiếng Việt", "English")
 *
 * with NULL for a part that has no such rule. The test is an expression over `o`, the facts (const struct o_<token> *), and `c`, the
 * check; true: the rule is kept.
 */
#define RULE_JOIN(line) rule_at_line_##line
#define RULE_TEST(line) RULE_JOIN(line)

#define RULE(token, flavours, id1, id23, id4, test, vi, en)                                                                      \
	static bool RULE_TEST(__LINE__)(const struct check *c, const void *facts)                                                \
	{                                                                                                                        \
		const struct o_##token *o = facts;                                                                               \
		(void)c, (void)o;                                                                                                \
		return test;                                                                                                     \
	}
#include RULES_FILE
#undef RULE

#define RULE(token, flavours, id1, id23, id4, test, vi, en) {id1, id23, id4, flavours, O_##token, RULE_TEST(__LINE__), vi, en},
static const struct rule rules[] = {
#include RULES_FILE
};
#undef RULE

const struct rule_table RULES_TABLE = {rules, sizeof rules / sizeof *rules};
