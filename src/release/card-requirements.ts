/** @module Requirements of every release, whatever its licence: a complete card, its provenance, and no traces of the author's machine. */
import { missingSections } from './card-sections.js';
import { frontMatterFaults } from './front-matter.js';
import { CARD_NAME, type ReleaseMetadata } from './metadata-requirements.js';
import { localPathIn, placeholderIn } from './placeholders.js';
import { PROVENANCE_NAME, RECIPE_NAME, sourceName } from './provenance.js';
import type { Violation } from './violation.js';

const RULES = 'The hub’s rules: https://huggingface.co/docs/hub/model-cards#model-card-metadata.';
const AGAIN = '`byteify export DIR --restart-from export` writes it.';
const EDIT = `Edit ${CARD_NAME}, or export again.`;

/** Each requirement returns its violations; no two requirements report the same one. */
export const CARD_REQUIREMENTS: Readonly<Record<string, (metadata: ReleaseMetadata) => readonly Violation[]>> = {
  card({ texts }) {
    if (texts.has(CARD_NAME)) return [];
    return [{ sentence: `The folder has no model card, ${CARD_NAME}.`, hint: AGAIN }];
  },

  frontMatter({ texts, front }) {
    if (!texts.has(CARD_NAME)) return [];
    if (front === undefined) {
      return [{ sentence: `${CARD_NAME} does not begin with valid YAML front matter.`, hint: EDIT }];
    }
    return frontMatterFaults(front).map((fault) => ({ sentence: `${CARD_NAME}: ${fault}`, hint: RULES }));
  },

  sections({ texts, body }) {
    if (!texts.has(CARD_NAME)) return [];
    return missingSections(body).map((section) => ({
      sentence: `${CARD_NAME} has no text under "${section}".`,
      hint: EDIT,
    }));
  },

  placeholder({ texts }) {
    const found = placeholderIn(texts.get(CARD_NAME) ?? '');
    if (found === null) return [];
    return [{ sentence: `${CARD_NAME} still contains a placeholder: ${found}.`, hint: `Edit ${CARD_NAME}.` }];
  },

  localPath({ texts }) {
    return [...texts]
      .filter(([name]) => /\.(md|yaml|json)$/.test(name))
      .flatMap(([name, text]) => {
        const found = localPathIn(text);
        return found === null ? [] : [{ sentence: `${name} contains a local path: ${found}.`, hint: 'Remove it.' }];
      });
  },

  baseModel({ front, manifest, provenance }) {
    const source = manifest ?? provenance?.source ?? null;
    const { base_model: named } = (front ?? {}) as { base_model?: unknown };
    if (source === null || source.revision === null || front === undefined) return [];
    const model = sourceName(source)!;
    if ([named].flat().includes(model)) return [];
    return [{ sentence: `${CARD_NAME}: base_model must name the source, ${model}.`, hint: EDIT }];
  },

  provenance({ provenance, manifest }) {
    if (provenance === null) {
      return [
        {
          sentence: `The folder has no valid ${PROVENANCE_NAME}, which says what the model was made from.`,
          hint: AGAIN,
        },
      ];
    }
    if (manifest === null || manifest.model === null) return [];
    const { model, revision } = provenance.source ?? {};
    if (model === sourceName(manifest) && revision === manifest.revision) return [];
    return [{ sentence: `${PROVENANCE_NAME} names another source than the conversion.`, hint: 'Export again.' }];
  },

  recipe({ texts, provenance }) {
    if (texts.has(RECIPE_NAME) || provenance === null || provenance.recipe === null) return [];
    return [{ sentence: `The folder has no ${RECIPE_NAME}, which is needed to reproduce the model.`, hint: AGAIN }];
  },
};
