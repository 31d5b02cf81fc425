import Pagination from "@cloudscape-design/components/pagination";
import type { Pages } from "./usePages";

export function Pager({ pages }: { pages: Pages<unknown> }) {
  return (
    <Pagination
      currentPageIndex={pages.number}
      pagesCount={pages.number + (pages.hasNext ? 1 : 0)}
      openEnd={pages.hasNext}
      ariaLabels={{
        nextPageLabel: "Next page",
        previousPageLabel: "Previous page",
        pageLabel: (page) => `Page ${page}`,
      }}
      onNextPageClick={pages.next}
      onPreviousPageClick={pages.previous}
      onChange={({ detail }) => {
        if (detail.currentPageIndex > pages.number) pages.next();
        else if (detail.currentPageIndex < pages.number) pages.previous();
      }}
    />
  );
}
