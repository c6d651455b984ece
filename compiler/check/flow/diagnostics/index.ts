// The list of the diagnostics that belong to workflow blocks.
import type { DiagnosticKind } from "../../../../grammar/diagnostic.ts";
import { unknownSetting } from "./dlm0104-unknown-setting.ts";
import { settingValue } from "./dlm0121-setting-value.ts";
import { missingSetting } from "./dlm0122-missing-setting.ts";
import { targetLeak } from "./dlm0601-target-leak.ts";
import { fittedLate } from "./dlm0602-fitted-late.ts";
import { splitSum } from "./dlm0603-split-sum.ts";
import { lastBatch } from "./dlm0604-last-batch.ts";
import { unknownColumn } from "./dlm0605-unknown-column.ts";
import { sharedRows } from "./dlm0606-shared-rows.ts";
import { noData } from "./dlm0607-no-data.ts";
import { rowsOfApp } from "./dlm0608-rows-of-app.ts";
import { lossNotSingle } from "./dlm0701-loss-not-single.ts";
import { nothingToTrain } from "./dlm0702-nothing-to-train.ts";
import { noOptimizer } from "./dlm0703-no-optimizer.ts";
import { noGradient } from "./dlm0704-no-gradient.ts";
import { movingStates } from "./dlm0705-frozen-weights-moving-states.ts";
import { metricUnfit } from "./dlm0902-metric-unfit.ts";
import { requireFailed } from "./dlm0903-require-failed.ts";
import { tooMuchMemory } from "./dlm0904-too-much-memory.ts";
import { f16CannotHold } from "./dlm0305-f16-cannot-hold.ts";
import { computedInF32 } from "./dlm0706-computed-in-f32.ts";
import { notStepwise } from "./dlm0504-not-stepwise.ts";
import { notBuilt } from "./dlm0120-not-built.ts";

export const flowDiagnostics: readonly Omit<DiagnosticKind<never>, "build">[] = [
  unknownSetting,
  notBuilt,
  notStepwise,
  f16CannotHold,
  settingValue,
  missingSetting,
  targetLeak,
  fittedLate,
  splitSum,
  lastBatch,
  unknownColumn,
  sharedRows,
  noData,
  rowsOfApp,
  lossNotSingle,
  nothingToTrain,
  noOptimizer,
  noGradient,
  movingStates,
  computedInF32,
  metricUnfit,
  requireFailed,
  tooMuchMemory,
];
