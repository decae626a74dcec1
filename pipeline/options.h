/*
 * Options as a table: one row an option. Long options only, "--name value" or "--name=value", never abbreviated; "--" ends them.
 * Operands may stand among them.
 */
#ifndef ARKSEAL_PIPELINE_OPTIONS_H
#define ARKSEAL_PIPELINE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	OPTION_FLAG,   /* bool; takes no value */
	OPTION_TEXT,   /* const char *; the last one counts */
	OPTION_NUMBER, /* int64_t, 0 … 1,000,000 */
	OPTION_LIST,   /* struct option_list; each one is added */
};

struct option_list {
	const char **v; /* borrowed texts; the caller frees v */
	size_t n;
};

struct option {
	const char *name; /* without its dashes; NULL ends the table */
	enum option_type type;
	void *target;
	const char *value; /* what the help calls the value; NULL for a flag */
	const char *help;
};

/* Reads argv[1 …]. Operands are added to *ret_operands. On a fault or on --help it prints (usage: the operands' part of the usage
 * line) and returns false; *ret_exit is then the exit code. */
bool options_parse(const struct option *table, const char *usage, int argc, char **argv, struct option_list *ret_operands,
                   int *ret_exit);

/* Appends; false without memory. */
bool option_list_add(struct option_list *list, const char *text);

#endif
