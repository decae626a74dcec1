/* What the rules of the document's parts are told, and what the files of this folder share. */
#ifndef ARKSEAL_PDFA_DOCUMENT_FACTS_H
#define ARKSEAL_PDFA_DOCUMENT_FACTS_H

#include "stages/pdfa/internal.h"

#define TREE_DEPTH 64 /* of fields, names, outlines, actions; what lies deeper is not looked at */

struct o_document {
	bool metadata, struct_tree, additional_actions, alternate_presentations, xref_stream;
	bool version_2; /* Version is 2.n, or not there */
};

struct o_annotation {
	const char *subtype;
	bool empty; /* its rectangle has no width and no height */
	bool has_flags;
	int64_t flags; /* F */
	bool opaque;   /* CA is 1, or not there */
	bool colour;   /* C or IC */
	bool has_appearance;
	bool only_normal; /* AP has N and nothing else */
	bool button;      /* a widget of a button field */
	bool n_stream, n_states;
	bool rgb; /* the output intent's space is RGB */
};

struct o_widget {
	bool action, additional_actions, has_appearance;
};

struct o_action {
	const char *type;
};

struct o_named_action {
	const char *name;
};

struct o_additional_actions {
	bool of_form;  /* of a widget or a form field */
	bool harmless; /* no key but E, X, D, U, Fo and Bl */
};

struct o_interactive_form {
	bool need_appearances, xfa;
};

struct o_form_field {
	bool additional_actions;
};

struct o_permissions {
	bool only_known; /* UR3 and DocMDP */
};

struct o_signature {
	bool covers;
};

struct o_signature_reference {
	bool digest, doc_mdp;
};

struct o_signature_data {
	bool certificate;
	int signers;
};

struct o_optional_content {
	bool has_name, empty_name, twice, as, order_complete;
};

struct o_file_specification {
	bool embeds; /* EF */
	bool named;  /* F and UF */
	bool relationship, associated;
};

struct o_embedded_file {
	const char *type; /* Subtype, "" where there is none */
	bool archival;    /* conforms to a part of ISO 19005 that is allowed here */
};

struct o_language {
	const char *tag;
};

struct o_actual_text {
	bool private_use;
};

struct o_nonstandard_type {
	bool mapped, circular, remapped;
};

struct document {
	struct seen actions, fields, outlines, associated, specifications, elements, signatures;
	uint32_t *files; /* object numbers of file specifications */
	size_t n_files;
};

/* actions.c */
enum actions_of { ACTIONS_DOCUMENT, ACTIONS_PAGE, ACTIONS_ANNOTATION, ACTIONS_FORM };
void actions_show(struct check *c, const struct pdfobj *action);
void actions_show_additional(struct check *c, const struct pdfobj *dictionary, enum actions_of owner);
void actions_show_outlines(struct check *c);
/* annotations.c */
void annotations_show(struct check *c, const struct pdfobj *page);
/* forms.c */
void forms_show(struct check *c);
void permissions_show(struct check *c);
/* layers.c */
void layers_show(struct check *c);
/* files.c */
void files_show(struct check *c);
/* structure.c */
void structure_show(struct check *c);
void language_show(struct check *c, const struct pdfobj *lang, uint32_t number);
void actual_text_show(struct check *c, const struct pdfobj *text, uint32_t number);

#endif
