import { type PanelDataSummary, type VisualizationSuggestion, VisualizationSuggestionScore } from '@grafana/data';
import { frameOf } from './rows';

/** Offers a panel of ours for the frames that it is made for, and for no others. */
export function suggestFor(kind: string, name: string) {
  return ({ rawFrames = [] }: PanelDataSummary): Array<VisualizationSuggestion<object>> =>
    frameOf(rawFrames, kind) === undefined ? [] : [{ name, score: VisualizationSuggestionScore.Best }];
}
