/*
 * A profile: everything that a rule book decides. YAML in profiles/, loaded by pipeline/profile.c (libcyaml); names here are the
 * keys there, with '-' for '_'. A profile may extend another: what it does not say is taken from there.
 */
#ifndef ARKSEAL_PIPELINE_PROFILE_H
#define ARKSEAL_PIPELINE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/base/err.h"

/* How a backlog is laid out. */
enum profile_layout {
	LAYOUT_DOSSIERS, /* fonds/box/file/document: described by spreadsheets */
	LAYOUT_PLAIN,    /* any tree: a folder of pictures or a multi-page file is a document */
};

/* Holds where a field has one of these values; where `field` is NULL it never holds. */
struct profile_condition {
	char *field;
	char **values;
	unsigned values_count;
};

/* One known column of the spreadsheets. */
struct profile_column {
	char *field;   /* EAD, EAD_doc, EAD_pic or EAD_media name, or one of ours: "path", "kind", "secrecy" */
	char **titles; /* texts that the header cell may have, compared without case and runs of space */
	unsigned titles_count;
	bool dossier; /* belongs to the dossier, not to the document */
	bool required;
	struct profile_condition required_if; /* required where another field of the same row says so */
	char **kinds;                         /* kinds of item that the two above bind; empty: all */
	unsigned kinds_count;
	unsigned max_length; /* in characters; 0: any */
	char **codes;        /* allowed values; empty: any */
	unsigned codes_count;
	char **labels; /* words that a cell may have in place of the code at the same place in `codes`; empty: none */
	unsigned labels_count;
	bool multiple; /* several codes, parted by ';' or ',' */
	char *format;  /* "text", "number", "date" (DD/MM/YYYY), "date-partial" (MM/YYYY and YYYY as well) */
	char *article; /* the place in the rules, for messages */
};

/* Which kind a document is where its row has one of these values. */
struct profile_kind_rule {
	struct profile_condition when;
	char *kind; /* "paper", "map", "photo", "received", "media" */
};

/* A mark that forbids to process a document. */
struct profile_refusal {
	char *field;   /* column whose value is looked at, or "path" for the path below the backlog */
	char **values; /* compared without case; for "path" shell patterns */
	unsigned values_count;
	char *reason; /* code of the notice: "secret", "excluded" */
	char *article;
};

struct profile_ingest {
	enum profile_layout layout;
	char **spreadsheets; /* file names that describe a fonds: "metadata.xlsx", "metadata.csv" */
	unsigned spreadsheets_count;
	unsigned settle_seconds; /* files that changed less than so long ago are still being written; 0: age does not count */
	char **unfinished; /* shell patterns of names that files have while they are written; what follows the last dot goes */
	unsigned unfinished_count;
	char *dossier_field;     /* the column that holds the dossier's code: "arcFileCode" */
	char *ordinal_field;     /* the column that holds the document's number in its dossier: "docOrdinal" */
	char *code_field;        /* the field that gets <dossier>.<ordinal>: "docCode" */
	unsigned ordinal_digits; /* the ordinal is filled up with zeros to so many digits */
	struct profile_column *columns;
	unsigned columns_count;
	struct profile_kind_rule *kind_rules; /* the first that holds counts; none: a PDF is received, all else paper */
	unsigned kind_rules_count;
	struct profile_refusal *refuse;
	unsigned refuse_count;
};

/* What a code of the descriptions' language field is called in RFC 3066. */
struct profile_language {
	char *code; /* "01" */
	char *tag;  /* "vi" */
};

/* What is done about a document that a check finds something in: "off" (not looked for), "note" (an event), "hold" (set aside until a person
 * accepts it: arkseal retry --accept), "quarantine". */
struct profile_checks {
	char *no_dpi;      /* the file does not say its resolution */
	char *low_dpi;     /* less than min-dpi */
	char *low_colour;  /* less than 24 bit */
	char *blank_page;  /* nothing on it */
	char *double_page; /* a page like one before it */
	char *turned_page; /* upside down or on its side */
	char *
	    paper_size; /* of a scanned page: by its pixels and its resolution no sheet of paper that is usual, so it is not at 100 % */
	char *low_bit_rate; /* sound or video with fewer bits a second than the profile asks for */
};

/* Sound and video: which formats are taken (stages/media/media.h; none: such files are set aside), and the least bit rates. */
struct profile_media {
	char **sound;
	unsigned sound_count;
	char **video;
	unsigned video_count;
	unsigned sound_kbps; /* 1,000 bits a second; 0: any */
	unsigned video_kbps;
};

struct profile_convert {
	char *flavour;        /* "2b" */
	char *ocr;            /* Tesseract languages "vie+eng", or "none" */
	unsigned default_dpi; /* where a picture does not say */
	unsigned min_dpi;     /* below: warning event (paper, photo) */
	unsigned min_dpi_map;
	bool trust_claims;     /* an unsigned received PDF that truly is the PDF/A that it claims is kept as it is */
	char *signed_not_pdfa; /* a signed PDF that is no PDF/A, which is never rewritten: "keep" as it is, or "quarantine" */
	/* Coded data that is placed as it is: "decoded" once, and compared with its source, or only compared as it is "coded". */
	char *proof;
	/* Files in a received PDF that may not stay there: "take-out" beside the document, "convert" those that are PDF, "embed" in a PDF/A-3b, or
	 * "quarantine". */
	char *attachments;
	char *photos; /* a photograph in one JPEG, TIFF or PNG file becomes PDF/A ("pdf") or stays as it is ("keep") */
	struct profile_media media;
	unsigned range_pages; /* a document with more pages is read in such ranges by several workers; 0: never */
	unsigned redraw_dpi;  /* pages of a received PDF drawn as pictures */
	char *secret;         /* a document whose text has one of secret_marks is held ("hold") or refused ("refuse") */
	char **secret_marks;  /* words that stand alone on a page: "TUYỆT MẬT"; none: not looked for */
	unsigned secret_marks_count;
	char *secret_article; /* the rule that the notice names */
	struct profile_checks checks;
	char **sidecars; /* text beside the PDF where documents are published as files: "alto" (ALTO 4), "text" */
	unsigned sidecars_count;
	unsigned ocr_page_seconds;          /* a page that takes longer keeps its picture without text */
	struct profile_language *languages; /* for the documents' language; empty: none is told by a code */
	unsigned languages_count;
};

enum profile_level { LEVEL_B_B, LEVEL_B_T, LEVEL_B_LT, LEVEL_B_LTA };

struct profile_appearance {
	bool visible;
	char *page;          /* "first" or "last" */
	char *anchor;        /* "top-right", "top-left", "bottom-right", "bottom-left" */
	double margin_mm;    /* from both edges of the visible page */
	double max_width_mm; /* lines are broken at this width */
	/* Template: {organisation}, {time}, {reference}, or a field of the document's description; lines parted by newlines. */
	char *text;
	char *
	    reference; /* number and sign of the document that others belong to; empty: codeNumber/codeNotation of the description */
	char *picture;      /* which of the site's pictures: "none", "seal", "signature" */
	char *picture_side; /* of the text: "left", "above", "behind" */
	char *
	    taken; /* where the place is not free: "cover" it all the same (nobody looks), "move" to the nearest that is, or "hold" the document */
	char *font; /* font file: an absolute path once it is loaded. In YAML a path relative to the profile, or a name that
	                      * is looked for in the folders of fonts */
	double size_pt;
	int time_offset_min; /* +420: Vietnam */
};

struct profile_sign {
	enum profile_level level;
	char *digest; /* "sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512" */
	char **
	    algorithms; /* that are allowed, the first that fits the key is used: "rsa-pkcs1", "rsa-pss", "ecdsa", "ed25519"; none: all but the last */
	unsigned algorithms_count;
	struct profile_appearance appearance;
	char *organisation_match;      /* "subject-o": the certificate's O must equal the site's organisation; "none" */
	unsigned revocation_max_age_s; /* the check before signing takes nothing older; 3600 */
	unsigned timestamp_within_s;   /* a signature that has waited longer for its timestamp is discarded and made anew; 600 */
	unsigned clock_tolerance_s;    /* genTime against our clock; 60 */
	unsigned min_rsa_bits;         /* 2048 */
	char *reason;                  /* /Reason, or NULL */
	char *location;                /* /Location, or NULL */
};

struct profile_bundle {
	char *kind;               /* "aip_hoso" */
	char *form;               /* "folder" or "zip" */
	bool seal;                /* detached CAdES over METS.xml, beside the package */
	bool without_quarantined; /* a dossier goes on without its refused and quarantined documents */
	char *archive_code;       /* prefix of arcFileCode; may be empty */
	int time_offset_min;      /* +420 */
	char *mets_profile;       /* PROFILE of the package METS */
	char *mets_profile_rep;   /* PROFILE of rep1's METS */
};

struct profile_limits {
	unsigned item_seconds;     /* wall time of one item in one stage */
	unsigned item_cpu_seconds; /* CPU time of the same */
	unsigned item_memory_mib;  /* address space of a worker */
	unsigned file_mib;         /* size of a file that a worker makes */
	unsigned retries;          /* fresh workers after a crash */
	unsigned pause_limit_s;    /* how long a fault that passes is waited for before exit 3 */
};

struct profile {
	char *name;
	char *title;
	char *extends; /* name or path, or NULL */
	char **stages; /* in order: "ingest", "convert" … */
	unsigned stages_count;
	struct profile_ingest ingest;
	struct profile_convert convert;
	struct profile_sign sign;
	struct profile_bundle bundle;
	struct profile_limits limits;
};

/* Loads by name (from the folder of installed profiles) or by path (a text with '/' or ending in .yaml). `set` holds n
 * "key.path=value" overrides. Errors are ST_RUN with file, line and key: "profile-missing", "profile-syntax", "profile-value",
 * "profile-key" (an unknown one), "profile-needs", "profile-set", "profile-extends" (a loop), "profile-font". */
enum status profile_load(const char *name_or_path, const char *const *set, size_t n_set, struct profile **ret_profile,
                         struct err *e);
void profile_free(struct profile *p);

/* The folder of installed profiles: $ARKSEAL_DATA/profiles, the source tree's in a build folder, or <prefix>/share/arkseal. */
const char *profile_folder(void);

/* The schema of the keys, and the checked tree of a profile with all that it extends and all that is not said filled in
 * (pipeline/config.h). */
struct config_kind;
extern const struct config_kind profile_kind;
struct config_node;
enum status profile_tree(const char *name_or_path, const char *const *set, size_t n_set, struct config_node **ret_tree,
                         struct err *e);

/* Whether the profile's list has this stage. */
bool profile_has_stage(const struct profile *p, const char *stage);

#endif
