/*
 * What the supervisor needs of a record that went well, without taking it apart. Most lines that it sees are such; making a tree of
 * values of each costs more than all else that it does for a document.
 */
#ifndef ARKSEAL_PIPELINE_GLANCE_H
#define ARKSEAL_PIPELINE_GLANCE_H

#include "pipeline/item.h"

/* Everything points into the line; p is NULL where the member is absent. */
struct glance {
	enum item_kind kind;
	struct bytes head; /* from the first byte to before the artefact: identity, sources, description. No stage changes it. */
	struct bytes id, dossier, fonds;
	struct bytes size_member, events_member; /* "dossier_size" and "events" whole, with the comma behind */
	struct bytes artefact;                   /* its path */
	struct bytes sources;                    /* what stands between the brackets of "sources" */
	uint32_t n_sources;
	int64_t dossier_size, pages; /* the members of these names; 0: absent */
};

/* True where the line (with its newline) is, byte for byte, what item_print writes for a document whose state is ok and which has no companions, members,
 * range or parts, no text that needs an escape, and no unknown member but "pages". Then item_parse takes it too. Any other line, good
 * or bad, gives false: it is item_parse's to look at. */
bool item_glance(struct bytes line, struct glance *ret);

/* The item with its identity and sources, but without description, events and artefact. NULL: no memory. */
struct item *glance_item(const struct glance *g);

/* Whether two such records are of the same document with the same files and description: b begins with a's head, and ends it there. */
bool glance_same_head(const struct glance *a, struct bytes b);

#endif
