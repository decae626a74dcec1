/*
 * What the checker says of many files: a line a file from standard input, "FLAVOUR<tab>PATH" (auto: as the file's XMP says). Prints
 * "PASS|FAIL|ERROR<tab>flavour<tab>path<tab>broken rules or the error".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/pdfa/check.h"

static void print_result(const char *path, const struct pdfa_result *r)
{
	printf("%s\t%s\t%s\t", r->passes ? "PASS" : "FAIL", pdfa_flavour_name(r->flavour), path);
	const char *comma = "";
	for (size_t i = 0; i < r->n_findings; i++)
		if (r->findings[i].broken > 0) {
			printf("%s%s", comma, r->findings[i].rule);
			comma = ",";
		}
	if (r->fault.status != ST_OK)
		printf("%s(%s: %s)", comma, r->fault.code, r->fault.detail);
	putchar('\n');
	if (getenv("PDFA_DETAIL") == NULL)
		return;
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct pdfa_finding *f = &r->findings[i];
		if (f->broken > 0)
			printf("\t%s %s %llu/%llu object %u page %u \"%s\" %s\n", f->rule, f->object,
			       (unsigned long long)f->broken, (unsigned long long)f->tried, f->number, f->page, f->what, f->en);
	}
}

static void check_file(const char *flavour, const char *path)
{
	struct file_map in;
	struct pdfa_result r;
	struct err e;
	if (file_map_open(path, &in, &e) != ST_OK) {
		printf("ERROR\tnone\t%s\t%s\n", path, e.code);
		return;
	}
	enum pdfa_flavour asked = strcmp(flavour, "auto") == 0 ? PDFA_NONE : pdfa_flavour_of(flavour);
	if (pdfa_check_file(&in, asked, &r, &e) != ST_OK)
		printf("ERROR\t%s\t%s\t%s: %s %s\n", flavour, path, e.code, e.where, e.detail);
	else
		print_result(path, &r);
	pdfa_result_free(&r);
	file_map_close(&in);
}

int main(void)
{
	char line[8192];
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		char *tab = strchr(line, '\t');
		if (tab == NULL)
			return 2;
		*tab = '\0';
		check_file(line, tab + 1);
	}
	return 0;
}
