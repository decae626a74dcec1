#include "stages/pdfa/icc.h"

#include <string.h>

#include <lcms2.h>

/* sRGB's tone curve in Little CMS' parametric form 4 (ICC.1, 10.16). */
static const double srgb_curve[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};

static cmsHPROFILE make_grey(void)
{
	cmsToneCurve *curve = cmsBuildParametricToneCurve(NULL, 4, srgb_curve);
	cmsHPROFILE h = curve == NULL ? NULL : cmsCreateGrayProfile(cmsD50_xyY(), curve);
	cmsFreeToneCurve(curve);
	return h;
}

struct transforms {
	cmsHTRANSFORM to_lab, from_lab; /* sRGB and Lab as floating point numbers */
};

static cmsInt32Number sample_to_lab(const cmsUInt16Number in[], cmsUInt16Number out[], void *arg)
{
	struct transforms *t = arg;
	double rgb[3];
	for (int i = 0; i < 3; i++)
		rgb[i] = (65535 - in[i]) / 65535.0 * ((65535 - in[3]) / 65535.0);
	cmsCIELab lab;
	cmsDoTransform(t->to_lab, rgb, &lab, 1);
	cmsFloat2LabEncoded(out, &lab);
	return TRUE;
}

static cmsInt32Number sample_from_lab(const cmsUInt16Number in[], cmsUInt16Number out[], void *arg)
{
	struct transforms *t = arg;
	cmsCIELab lab;
	cmsLabEncoded2Float(&lab, in);
	double rgb[3], black = 1;
	cmsDoTransform(t->from_lab, &lab, rgb, 1);
	for (int i = 0; i < 3; i++) {
		rgb[i] = rgb[i] < 0 ? 0 : rgb[i] > 1 ? 1 : rgb[i];
		black = 1 - rgb[i] < black ? 1 - rgb[i] : black;
	}
	for (int i = 0; i < 3; i++)
		out[i] = black >= 1 ? 0 : (cmsUInt16Number)((1 - rgb[i] - black) / (1 - black) * 65535 + 0.5);
	out[3] = (cmsUInt16Number)(black * 65535 + 0.5);
	return TRUE;
}

static bool write_table(cmsHPROFILE h, cmsTagSignature tag, unsigned inputs, unsigned outputs, unsigned points,
                        cmsSAMPLER16 sampler, struct transforms *t)
{
	/* Version 4 knows tables only between curves; these change nothing. */
	cmsPipeline *lut = cmsPipelineAlloc(NULL, inputs, outputs);
	cmsStage *stages[3] = {cmsStageAllocToneCurves(NULL, inputs, NULL),
	                       cmsStageAllocCLut16bit(NULL, points, inputs, outputs, NULL),
	                       cmsStageAllocToneCurves(NULL, outputs, NULL)};
	bool ok = lut != NULL && stages[0] != NULL && stages[1] != NULL && stages[2] != NULL &&
	          cmsStageSampleCLut16bit(stages[1], sampler, t, 0);
	for (size_t i = 0; i < 3; i++) {
		if (lut != NULL && stages[i] != NULL)
			cmsPipelineInsertStage(lut, cmsAT_END, stages[i]);
	}
	ok = ok && cmsWriteTag(h, tag, lut);
	cmsPipelineFree(lut);
	return ok;
}

static bool write_texts(cmsHPROFILE h)
{
	cmsMLU *name = cmsMLUalloc(NULL, 1), *rights = cmsMLUalloc(NULL, 1);
	bool ok = name != NULL && rights != NULL && cmsMLUsetASCII(name, "en", "US", "generic CMYK") &&
	          cmsMLUsetASCII(rights, "en", "US", "No copyright, use freely") &&
	          cmsWriteTag(h, cmsSigProfileDescriptionTag, name) && cmsWriteTag(h, cmsSigCopyrightTag, rights) &&
	          cmsWriteTag(h, cmsSigMediaWhitePointTag, cmsD50_XYZ());
	cmsMLUfree(name);
	cmsMLUfree(rights);
	return ok;
}

static cmsHPROFILE make_cmyk(void)
{
	cmsHPROFILE h = cmsCreateProfilePlaceholder(NULL), rgb = cmsCreate_sRGBProfile(), lab = cmsCreateLab4Profile(NULL);
	struct transforms t = {0};
	bool ok = h != NULL && rgb != NULL && lab != NULL;
	if (ok) {
		t.to_lab = cmsCreateTransform(rgb, TYPE_RGB_DBL, lab, TYPE_Lab_DBL, INTENT_RELATIVE_COLORIMETRIC, 0);
		t.from_lab = cmsCreateTransform(lab, TYPE_Lab_DBL, rgb, TYPE_RGB_DBL, INTENT_RELATIVE_COLORIMETRIC, 0);
		ok = t.to_lab != NULL && t.from_lab != NULL;
	}
	if (ok) {
		cmsSetDeviceClass(h, cmsSigOutputClass);
		cmsSetColorSpace(h, cmsSigCmykData);
		cmsSetPCS(h, cmsSigLabData);
		ok = write_table(h, cmsSigAToB0Tag, 4, 3, 9, sample_to_lab, &t) &&
		     cmsLinkTag(h, cmsSigAToB1Tag, cmsSigAToB0Tag) && cmsLinkTag(h, cmsSigAToB2Tag, cmsSigAToB0Tag) &&
		     write_table(h, cmsSigBToA0Tag, 3, 4, 17, sample_from_lab, &t) &&
		     cmsLinkTag(h, cmsSigBToA1Tag, cmsSigBToA0Tag) && cmsLinkTag(h, cmsSigBToA2Tag, cmsSigBToA0Tag) &&
		     write_texts(h);
	}
	if (t.to_lab != NULL)
		cmsDeleteTransform(t.to_lab);
	if (t.from_lab != NULL)
		cmsDeleteTransform(t.from_lab);
	if (rgb != NULL)
		cmsCloseProfile(rgb);
	if (lab != NULL)
		cmsCloseProfile(lab);
	if (!ok && h != NULL) {
		cmsCloseProfile(h);
		h = NULL;
	}
	return h;
}

enum status icc_make(enum icc_kind kind, struct buf *to, struct err *e)
{
	/* 1 January 2026, 00:00:00, in place of the time of the call (ICC.1, 7.2.8). */
	static const uint8_t date[12] = {0x07, 0xEA, 0, 1, 0, 1};
	cmsHPROFILE h = kind == ICC_SRGB ? cmsCreate_sRGBProfile() : kind == ICC_GREY ? make_grey() : make_cmyk();
	cmsUInt32Number n = 0;
	bool ok = h != NULL;
	if (ok) {
		cmsSetProfileVersion(h, 4.2);
		ok = cmsSaveProfileToMem(h, NULL, &n) && n >= 128;
	}
	uint8_t *at = ok ? buf_reserve(to, n) : NULL;
	ok = at != NULL && cmsSaveProfileToMem(h, at, &n);
	if (ok) {
		memcpy(at + 24, date, sizeof date);
		to->len += n;
	}
	if (h != NULL)
		cmsCloseProfile(h);
	return ok ? ST_OK : err_set(e, ST_RETRY, "memory", "no memory left for an ICC profile");
}
