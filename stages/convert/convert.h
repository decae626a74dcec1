/*
 * The stage convert: a document's pages become one PDF/A-2b (3b where the profile wants attached files to stay inside).
 *
 * A document on which a mark of secrecy is read is refused or held, and nothing of it is kept. What else the profile's checks find is noted, or
 * sets the document aside.
 *
 * Scanned pages, maps and photographs: each picture is placed as it is coded where PDF knows the coding, else coded again without loss; under it
 * lies the text that Tesseract reads (not for photographs); a page that it fails on keeps its picture. A received PDF stays byte for byte where it is signed
 * and truly the PDF/A that it claims, or unsigned and the profile trusts claims; a signed one that is no PDF/A is kept or set aside, as the
 * profile says, never rewritten; any other is changed as little as makes it PDF/A, then the pages for which that is not enough become pictures with
 * their text underneath. Files attached to it stay where they may, else they lie beside it. A dynamic form, whose pages are not its content, is set
 * aside. What was written is read back and every page compared with its source, before the file gets its name.
 *
 * What is not paper may stay what it is: a photograph in one JPEG, TIFF or PNG file where the profile says so (convert.photos), sound and video
 * always, in the formats and with the bit rates that the profile asks for (convert.media). Such a file goes on byte for byte.
 *
 * Dates in the file do not depend on the run: the document's own date (issuedDate, photoTime, the dossier's endDate or
 * startDate), else the newest modification time of its sources.
 */
#ifndef ARKSEAL_CONVERT_H
#define ARKSEAL_CONVERT_H

#include "pipeline/stage.h"

/* Notes the number of pages in item->other as "pages". Errors of a page carry the source file and the page in where. */
extern const struct stage convert_stage;

#endif
