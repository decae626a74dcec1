/* Shared by the files of this stage only. */
#ifndef ARKSEAL_CONVERT_INTERNAL_H
#define ARKSEAL_CONVERT_INTERNAL_H

#include "pipeline/stage.h"
#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/convert/part.h"
#include "stages/pdf/amend/amend.h"
#include "stages/pdf/attached.h"
#include "stages/pdf/make/make.h"
#include "stages/pdf/redraw/redraw.h"
#include "stages/pdfa/check.h"
#include "stages/text/ocr.h"

/* The stage's state: lives as long as the process. */
struct convert {
	const struct stage_env *env;
	struct ocr *ocr; /* NULL where the profile wants none */
	bool encloses;   /* at work on a file that is attached to another */
};

/* Fills in what the description says of a document. Strings belong to *it or to *storage. */
struct describe_storage {
	char created[TIME_TEXT];
};
enum status describe(const struct convert *c, const struct item *it, struct describe_storage *storage,
                     struct pdfmake_meta *ret_meta, struct err *e);
/* "31/12/1985", "12/1985", "1985" or "1985-12-31" as an ISO 8601 time at the start of that day; false for anything else. */
bool describe_date(const char *text, int offset_min, char ret_time[TIME_TEXT]);
/* RFC 3066 tag of a language field (one of the profile's codes, or a tag itself), else of Tesseract's languages; NULL where none follows. */
const char *describe_language(const struct profile_convert *p, const char *field);

/* What is worth telling of some of a document's pages. */
enum note {
	NOTE_NO_DPI,    /* the file does not say its resolution */
	NOTE_LOW_DPI,   /* less than the profile asks for */
	NOTE_COLOUR,    /* less than 24 bit */
	NOTE_FLATTENED, /* transparency laid over white */
	NOTE_ICC,       /* an unfit ICC profile left out */
	NOTE_NO_OCR,    /* too large to be read */
	NOTE_UNMAPPED,  /* text of a received PDF without meaning, read anew */
	NOTE_INKS,      /* colours for printing drawn without their profiles */
	NOTE_UNREAD,    /* Tesseract failed, or took too long */
	NOTE_BLANK,     /* nothing on it */
	NOTE_DOUBLE,    /* like a page before it */
	NOTE_SIZE,      /* no usual sheet of paper: not at 100 %, or a wrong resolution */
	NOTE_TURNED,    /* read upside down or on its side */
	NOTES,
};

/* Numbers of pages as "1-3, 5", gathered in rising order. */
struct page_list {
	struct buf text;
	size_t first, last; /* the range that is still open; 0: none */
};
void page_list_add(struct page_list *l, size_t page);
const char *page_list_text(struct page_list *l); /* ends the open range */
void page_list_free(struct page_list *l);

/* Puts a source file, and its page from 1 (0: none), before what e->where says already. Returns e->status. */
enum status place_fault(struct err *e, const char *path, size_t page);

/* What the page's picture in the finished file must be. */
struct expected {
	uint32_t width, height;
	const char *path; /* the source whose bytes from `at` are placed as they are; or NULL, and */
	size_t at, n;
	bool stored; /* digest is over the coded data; else over the samples (picture_digest) */
	uint8_t digest[32];
};

enum sidecar { SIDECAR_ALTO, SIDECAR_TEXT, SIDECARS };

/* A PDF that is being made. */
struct job {
	struct convert *c;
	struct item *it;
	struct describe_storage storage;
	struct outfile out;
	struct pdfmake *make;    /* a new document; or */
	struct amend *amend;     /* a received one */
	struct written written;  /* what either has written, when it is finished */
	const char *source_path; /* the file that pictures are taken from now, and its bytes; or NULL */
	struct bytes source;
	unsigned part_of_pdfa;             /* 2 or 3 */
	bool draws;                        /* the next page of a received one becomes its picture */
	struct outfile sidecars[SIDECARS]; /* those that the profile asks for */
	struct expected *pages;
	size_t n;
	struct page_list notes[NOTES];
	struct buf codings;    /* "pages 1-3: JPEG as it was, 200 dpi; …" */
	struct page_list same; /* the pages whose coding is `coding` */
	char coding[96];
	struct met *met; /* the pages so far, for the search of doubles (checks.c) */
	size_t n_met;
	double confidence; /* summed over words */
	size_t words;

	struct buf part; /* of a range; no PDF is made */
	/* Of a document whose ranges are done: words and coded pictures come from the parts. */
	size_t next_part;
	struct file_map map;
	struct part part_in;
};

struct source;
void job_init(struct job *j, struct convert *c, struct item *it);
/* Begins a new PDF, or a range of one. */
enum status job_open(struct job *j, struct convert *c, struct item *it, struct err *e);
/* Begins to amend a received one, without sidecars; and gives that up, so that another try can be begun. */
enum status job_open_amended(struct job *j, const struct source *s, unsigned remedies, struct err *e);
void job_close_amended(struct job *j);
/* Notes what the next page's picture, or drawing, must be. */
enum status job_expect(struct job *j, const struct picture *p, struct err *e);
/* A page with more pixels is not looked at: an A0 sheet at 400 dpi fits. */
#define MAX_OCR_PIXELS (UINT64_C(256) << 20)
/* Whether a check's action is another one than "off". */
bool check_wanted(const char *action);
/* Fills in the resolution that a file does not say, and notes what the rules want to know of a page. */
void job_look_at(struct job *j, struct picture *p);
/* An event for each sort of note. */
void job_tell_notes(struct job *j, int64_t now_ms);
bool job_reads(const struct job *j); /* text */
bool job_looks(const struct job *j);
/* Fills in what is read of a page; without text where it has its own. */
enum status read_page(struct job *j, const struct picture *p, bool text, struct part_page *page, struct err *e);

/* Text beside the PDF, as the profile's convert.sidecars says: begun, a page added (words may be NULL; recognised: by Tesseract), ended as
 * companions of the item. */
enum status sidecars_open(struct job *j, struct err *e);
enum status sidecars_page(struct job *j, const struct picture *p, const struct ocr_page *words, bool recognised, struct err *e);
enum status sidecars_finish(struct job *j, struct err *e);
void sidecars_discard(struct job *j);

/* Looks for marks of secrecy. words may be NULL. Errors: ST_ITEM "secret-mark", or "secret-mark-held" where the profile only holds such a
 * document, until a person accepts it. */
enum status check_secrecy(const struct convert *c, const struct item *it, const struct ocr_page *words, struct err *e);
/* The checks of the page that is next; what they find is noted. words: those that lie under it. Errors: as
 * check_secrecy. */
enum status check_page(struct job *j, const struct part_page *page, const struct ocr_page *words, struct err *e);
/* Whether what a check found sets the document aside: by the profile's action, unless a person has accepted it. what: "page 1-3", for the notice
 * code. Errors: ST_ITEM code, or code with "-held" behind it. */
enum status check_found(const struct item *it, const char *code, const char *action, const char *what, struct err *e);
/* What the profile says about all that was noted. Errors: ST_ITEM "check-…", where it sets the document aside. */
enum status check_document(struct job *j, struct err *e);
void checks_free(struct job *j);

/* Adds a page. words NULL: it is read by Tesseract, where the job reads. p's resolution must be set. */
enum status job_page(struct job *j, const struct picture *p, const struct ocr_page *words, struct err *e);
/* Whether the next page is looked at; where not, it is counted. */
bool job_wants(struct job *j);
/* Ends the file, proves it, gives it its name, and fills in the item: artefact, pages, events. */
enum status job_finish(struct job *j, const char *what, struct err *e);
void job_drop(struct job *j);
/* Gives what has been written and proved its name, and fills in the item. what: how it was made; proof: by what it was
 * seen that nothing is lost. */
enum status job_commit(struct job *j, const char *what, const char *proof, struct err *e);

/* Reads a finished PDF back and compares every page's picture with its source. Errors: ST_ITEM "convert-proof" (what was written is not what came
 * in), faults of the reader. */
enum status prove(const char *path, const struct expected *pages, size_t n, struct err *e);

/* Whether a document may be asked for in ranges. */
bool ranges_may(const struct convert *c, const struct item *it);
/* Asks for a document of so many pages in ranges, where that pays. */
bool ranges_ask(const struct convert *c, struct item *it, size_t pages);
/* Answers a range with the part that an earlier try has made of the same. */
bool ranges_found(const struct convert *c, struct item *it);
enum status ranges_begin_part(struct job *j, struct err *e);
enum status ranges_end_part(struct job *j, struct err *e);
/* The next page of the parts; its words are freed by the caller. Errors: ST_ITEM "convert-part". */
enum status ranges_page(struct job *j, struct part_page *ret_page, struct err *e);

/* Received PDFs: what is drawn of them. */
extern const struct redraw_limits received_limits;
/* The words that are put under a drawn page: its own, where they have a meaning; else NULL, and the picture is read. */
const struct ocr_page *received_words(struct job *j, const struct redraw_page *page);
/* The rules that a file breaks, as the end of a sentence. */
void list_broken(const struct pdfa_result *r, char *to, size_t n);
/* A PDF/A-2 that was made of an attached PDF. */
struct enclosed {
	struct file_map map; /* its file has no name any more; in.p NULL: there is none */
	json_t *events;      /* what was done */
};
bool enclosed_is_pdf(struct bytes content);
/* Whether an attached file is a PDF/A-1 or -2. Errors: ST_RETRY. */
enum status enclosed_may_stay(struct bytes content, bool *ret_may, struct err *e);
/* Tries to make PDF/A of an attached PDF, which must not have attachments of its own that would go. number: of the file, from 1. Freed with
 * enclosed_free. Errors: ST_ITEM "secret-mark…"; ST_RETRY. */
enum status enclosed_convert(struct convert *c, const struct item *it, struct bytes content, const char *name, size_t number,
                             struct enclosed *to, struct err *e);
void enclosed_free(struct enclosed *f);

/* The files that are embedded in a received PDF. */
struct attachments {
	struct pdf_attached_list all;
	struct enclosed *enclosed;   /* for each of them, what takes its place; or NULL */
	struct amend_file *replaced; /* the same for amend_replace */
	size_t n_replaced;
	uint32_t *out; /* the streams of those that must not stay, sorted */
	size_t n_out;
	uint32_t *specifications; /* of all, where they stay in a PDF/A-3b; else NULL */
	size_t n_specifications;
};
/* From then on all stay, and the document is to be PDF/A-3b. *ret_may false: a specification lies inside of another object. Errors: ST_RETRY. */
enum status attachments_embed(struct attachments *a, bool *ret_may, struct err *e);
/* Converts those that are PDF, where the profile says so. Errors: ST_ITEM "pdf-attachments" (one cannot be read), "pdf-…", "secret-mark…"; ST_RETRY. Freed with attachments_free whatever is returned. */
enum status attachments_find(struct convert *c, const struct item *it, const struct pdfdoc *d, struct attachments *a,
                             struct err *e);
void attachments_free(struct attachments *a);
/* Writes those that are not in the amended file (all: whatever is) beside the document: companions of the item, and an event for each. */
enum status attachments_take_out(struct job *j, const struct pdfdoc *d, const struct attachments *a, bool all, struct err *e);

/* A received document as the strict reader has it. */
struct source {
	struct pdfdoc *doc; /* NULL: it cannot be read */
	char *mended;       /* a copy in the work folder that MuPDF has made (redraw_save); or NULL */
	struct file_map map;
	struct attachments attached;
};
void source_close(struct source *s);

/* Tries to make PDF/A of it by the least change. *ret_done false: it must be drawn, and why says why. *s is closed by the
 * caller whatever is returned. Errors: as convert_received. */
enum status convert_amended(struct convert *c, struct item *it, const struct file_map *m, struct source *s, bool *ret_done,
                            char *why, size_t n, struct err *e);

/* Puts a source's bytes as they are into the work folder and makes them the artefact. extension with its dot; format: PRONOM key or NULL. */
enum status keep_bytes(struct convert *c, struct item *it, struct bytes content, const char *extension, const char *format,
                       struct err *e);
/* A photograph that stays what it is. *ret_kept false: the profile wants PDF, or it is in no format that may stay. */
enum status convert_kept(struct convert *c, struct item *it, bool *ret_kept, struct err *e);

/* The three ways of a document. Errors of sound and video: ST_ITEM "media-sources", "media-refused" (a format that the profile does not take),
 * "check-low-bit-rate", those of media_read. */
enum status convert_pictures(struct convert *c, struct item *it, struct err *e);
enum status convert_received(struct convert *c, struct item *it, struct err *e);
enum status convert_media(struct convert *c, struct item *it, struct err *e);

#endif
