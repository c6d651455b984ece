// The list of the diagnostics of names, sizes, number types, axes and meaning: DLM01xx to DLM05xx.
import type { DiagnosticKind } from "../../../grammar/diagnostic.ts";
import { unknownName } from "./dlm0101-unknown-name.ts";
import { noParameter } from "./dlm0102-no-parameter.ts";
import { notVisible } from "./dlm0103-not-visible.ts";
import { nameTaken } from "./dlm0105-name-taken.ts";
import { unknownCount } from "./dlm0106-unknown-count.ts";
import { caseMatters } from "./dlm0107-case.ts";
import { importCycle } from "./dlm0108-import-cycle.ts";
import { missingConfiguration } from "./dlm0109-missing-configuration.ts";
import { mixedUp } from "./dlm0110-mixed-up.ts";
import { tooMany } from "./dlm0111-too-many-arguments.ts";
import { usesItself } from "./dlm0112-uses-itself.ts";
import { missingFile } from "./dlm0113-missing-file.ts";
import { unfit } from "./dlm0114-unfit-value.ts";
import { residualSizes } from "./dlm0201-residual-sizes.ts";
import { whereFails } from "./dlm0202-where-fails.ts";
import { mayNotDivide } from "./dlm0203-may-not-divide.ts";
import { cannotProveEqual } from "./dlm0204-cannot-prove-equal.ts";
import { changesCount } from "./dlm0205-changes-count.ts";
import { tooSmall } from "./dlm0206-too-small.ts";
import { wrongParts } from "./dlm0207-wrong-parts.ts";
import { bodyDiffers } from "./dlm0208-body-differs.ts";
import { repeatChanges } from "./dlm0209-repeat-changes.ts";
import { carryChanges } from "./dlm0210-carry-changes.ts";
import { wrongRank } from "./dlm0211-wrong-rank.ts";
import { freeSize } from "./dlm0212-free-size.ts";
import { doesNotFit } from "./dlm0213-does-not-fit.ts";
import { sharedSizes } from "./dlm0214-shared-sizes.ts";
import { classesDiffer } from "./dlm0301-classes-differ.ts";
import { alreadyFloat } from "./dlm0302-already-float.ts";
import { integerArithmetic } from "./dlm0303-not-mixed.ts";
import { noSuchLabel } from "./dlm0304-no-such-label.ts";
import { differentSizes } from "./dlm0401-different-sizes.ts";
import { overNeeded } from "./dlm0402-over-needed.ts";
import { axisMissing } from "./dlm0403-no-such-axis.ts";
import { sameLabelTwice } from "./dlm0404-same-label-twice.ts";
import { cannotLineUp } from "./dlm0405-cannot-line-up.ts";
import { appliedTwice } from "./dlm0501-applied-twice.ts";
import { stateFixed } from "./dlm0502-state-fixed.ts";
import { cacheBound } from "./dlm0503-cache-bound.ts";
import { cannotReach } from "./dlm0505-cannot-reach.ts";

export const checkDiagnostics: readonly Omit<DiagnosticKind<never>, "build">[] = [
  unknownName,
  noParameter,
  notVisible,
  nameTaken,
  unknownCount,
  caseMatters,
  importCycle,
  missingConfiguration,
  mixedUp,
  tooMany,
  usesItself,
  missingFile,
  unfit,
  residualSizes,
  whereFails,
  mayNotDivide,
  cannotProveEqual,
  changesCount,
  tooSmall,
  wrongParts,
  bodyDiffers,
  repeatChanges,
  carryChanges,
  wrongRank,
  freeSize,
  doesNotFit,
  sharedSizes,
  classesDiffer,
  alreadyFloat,
  integerArithmetic,
  noSuchLabel,
  differentSizes,
  overNeeded,
  axisMissing,
  sameLabelTwice,
  cannotLineUp,
  appliedTwice,
  stateFixed,
  cacheBound,
  cannotReach,
];
