/*
 * What was changed in a document after a signature (ISO 32000-1, 12.8.2; ETSI EN 319 142-1, 5.4 to 5.6).
 *
 * The signed revision and the whole document are compared object by object. An object that the signed revision knows may differ in the
 * later one only in ways that its role there allows:
 *   catalog     DSS, Extensions, a higher Version, AcroForm as below
 *               and, unless P = 1, Metadata: writers note the time and themselves there
 *   AcroForm    Fields grows by signature fields, SigFlags, DR keeps its fonts, DA comes, NeedAppearances goes
 *   page        Annots grows by the widgets of new signature fields; with DocMDP P = 3, any annotation that is no widget changes
 *   field       an unsigned signature field is signed; another is filled in (value, appearance), unless DocMDP P = 1, FieldMDP or Lock
 *               forbid it. A signed field never changes.
 *   Info        ModDate and Producer
 * With P = 1 only DSS and invisible document timestamps are left. A document without DocMDP is judged as with P = 2: filling in and
 * signing, no annotations. An object that is reached by more than one role is held to all of them; one that the signed revision
 * does not reach may be anything. Whether a new widget covers what was signed is not judged.
 */
#ifndef ARKSEAL_PDF_CHANGES_H
#define ARKSEAL_PDF_CHANGES_H

#include "stages/pdf/signatures.h"

/* Sets s->changes and s->change_reason. `before` is the document as signed, `after` as it is now. */
enum status pdfchanges_judge(const struct pdfdoc *before, const struct pdfdoc *after, struct pdfsig *s, struct err *e);

#endif
